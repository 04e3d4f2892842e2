//! What `check` found, as a table, as JSON, and as GitLab's Code Quality report.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::commands::print;
use crate::config::policy::Located;
use crate::decide::policy::Policy;
use crate::decide::policy::table::{Row, Way};
use crate::learn::backtest::cases::Failed;
use crate::learn::backtest::unnoticed::{Coverage, Mutants};

/// What was found; its JSON is what `--format json` prints.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// The policy's hash, where it is sound.
    pub policy: Option<String>,
    pub faults: Vec<Located>,
    /// The rule, a row a node.
    pub nodes: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<CasesReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutants: Option<Mutants>,
}

/// What became of a file of cases.
#[derive(Debug, Serialize)]
pub(super) struct CasesReport {
    pub file: String,
    pub cases: usize,
    pub failing: Vec<FailedReport>,
}

/// A case that is not decided as it says.
#[derive(Debug, Serialize)]
pub(super) struct FailedReport {
    pub line: usize,
    pub name: String,
    pub expected: String,
    pub decided: String,
    pub explained: String,
}

impl FailedReport {
    pub(super) fn of(failed: &Failed<'_>, line: usize) -> FailedReport {
        FailedReport {
            line,
            name: failed.case.name.get_ref().clone(),
            expected: failed.case.verdict.get_ref().clone(),
            decided: failed.decision.verdict.clone(),
            explained: failed.explained(),
        }
    }
}

impl Report {
    pub(super) fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.cases.as_ref().is_none_or(|cases| cases.failing.is_empty())
    }

    /// As GitLab takes it: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.
    pub(super) fn code_quality(&self) -> Vec<CodeQuality> {
        let faults = self.faults.iter().map(|fault| {
            let help = fault.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            CodeQuality::new("policy-fault", "blocker", &fault.file, fault.line, format!("{}{help}", fault.message))
        });
        let failing = self.cases.iter().flat_map(|cases| {
            cases.failing.iter().map(|failed| {
                let told = format!("{}: expected {}, decided {}", failed.name, failed.expected, failed.decided);
                CodeQuality::new("policy-case", "major", &cases.file, failed.line, told)
            })
        });
        faults.chain(failing).collect()
    }
}

/// One entry of a Code Quality report.
#[derive(Debug, Serialize)]
pub(super) struct CodeQuality {
    description: String,
    check_name: &'static str,
    /// The same for the same finding wherever it stands, so that GitLab knows it again.
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: usize,
}

impl CodeQuality {
    fn new(
        check_name: &'static str,
        severity: &'static str,
        file: &str,
        line: usize,
        description: String,
    ) -> CodeQuality {
        let path = file.trim_start_matches("./").to_owned();
        let digest = Sha256::digest(format!("{check_name}\n{path}\n{description}"));
        let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        CodeQuality {
            description,
            check_name,
            fingerprint,
            severity,
            location: Location { path, lines: Lines { begin: line } },
        }
    }
}

/// Says that a policy is sound, and shows it as a table.
pub(super) fn sound(what: &Path, policy: &Policy) {
    let (nodes, edges) = (policy.diagram.nodes.len(), policy.diagram.edges.len());
    print(&format!("{} is sound: {nodes} nodes, {edges} links, policy {}\n", what.display(), policy.hash));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["NODE", "TEXT IN THE PICTURE", "BOUND TO", "LEADS TO"]);
    for row in policy.table() {
        let leads = row.leads_to.iter().map(leads).collect::<Vec<_>>().join(", ");
        table.add_row([row.node, row.text, row.bound_to.unwrap_or_default(), leads]);
    }
    print(&format!("\n{}\n\n", table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")));
}

fn leads(way: &Way) -> String {
    let to = way.node.clone().or(way.outcome.as_ref().map(|outcome| format!("({outcome})"))).unwrap_or_default();
    match &way.answer {
        Some(answer) => format!("{answer} → {to}"),
        None => format!("→ {to}"),
    }
}

/// Shows what no case reaches.
pub(super) fn coverage(coverage: &Coverage) {
    if coverage.is_whole() {
        return print("the cases reach every link, outcome, source, pattern and boundary\n");
    }
    let Coverage { links, outcomes, sources, patterns, boundaries } = coverage;
    let parts = [
        ("links", links),
        ("outcomes", outcomes),
        ("sources", sources),
        ("patterns", patterns),
        ("boundaries", boundaries),
    ];
    for (what, missed) in parts {
        if !missed.is_empty() {
            print(&format!("no case reaches these {what}:\n  {}\n", missed.join("\n  ")));
        }
    }
}

/// Shows which small changes no case notices.
pub(super) fn mutants(found: &Mutants) {
    let noticed = found.mutants.saturating_sub(found.unnoticed.len());
    print(&format!("\nthe cases notice {noticed} of {} small changes of the policy\n", found.mutants));
    for one in &found.unnoticed {
        print(&format!("\nline {}: {}\n", one.line, one.change));
        match &one.proposed {
            Some(case) => print(&format!("a case that would notice it, if the policy is right as it is:\n\n{case}")),
            None => print("no case was found that would notice it\n"),
        }
    }
}
