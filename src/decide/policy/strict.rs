//! What Mermaid refuses though our parser takes it: lines about looks and groups, empty labels, blanks in the wrong place.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::fault::Fault;
use super::places::{Line, breaks, lines};
use super::slips::masked;

/// Lines about looks: the word they begin with, how the whole is written, and an example.
static LOOKS: LazyLock<Vec<(&str, Option<Regex>, &str)>> = LazyLock::new(|| {
    let name = r#"[^\s\x00-\x1f()\[\]{}<>|"~@^;=]+"#;
    let style = r#"(?:[ :]|[0-9A-Za-z_!#$%&'*+.`?\\/-]"*)+"#;
    let styles = format!("{style}(?:,{style})*");
    let line = |pattern: String| Regex::new(&format!("^{pattern}$")).ok();
    vec![
        ("classDef", line(format!(r"classDef\s{name}\s{styles}")), "classDef loud fill:#f96,stroke:#333"),
        ("class", line(format!(r"class\s{name}\s{name}")), "class A,B loud"),
        ("style", line(format!(r"style\s{name}\s{styles}")), "style A fill:#f96,stroke:#333"),
        (
            "linkStyle",
            line(format!(r"linkStyle\s(?:default|\d+(?:,\d+)*)\s(?:interpolate\s\w+(?:\s{styles})?|{styles})")),
            "linkStyle 0,1 stroke:#f00",
        ),
        (
            "click",
            line(
                r#"click\s+\S+\s(?:(?:href\s)?"[^"]*"|call\s.+|[^\s"]+)(?:\s"[^"]*")?(?:\s(?:_self|_blank|_parent|_top))?"#
                    .to_owned(),
            ),
            "click A \"https://example.com\" \"A tip\" _blank",
        ),
    ]
});

/// The head of a group: its name, and its title in brackets.
static GROUP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^subgraph\s+(?:"[^"]+"|[\p{L}\w\s`!#$%&'*+./?\\:-]+)(?:\[[^\[\](){}|]+\]|\["[^"]+"\])?$"#).ok()
});

/// Slips on lines of nodes and links, their labels blank: what is wrong, and how it should be.
static SLIPS: LazyLock<[(Option<Regex>, &str, &str); 6]> = LazyLock::new(|| {
    let slip = |pattern, message, help| (Regex::new(pattern).ok(), message, help);
    [
        slip(
            r"(?:\s|@\{[^{}]*\}):::",
            "Mermaid takes a class only right behind the text of its node",
            "write it as A[Text]:::loud",
        ),
        slip(
            r"(?:^|[;&|>]|---|===|\.-)\s*[\w.]+\s+[\[({]",
            "Mermaid takes no blank between a node and its text",
            "write it as A[Text]",
        ),
        slip(r"\w\s+>[^\]=-]*\]", "Mermaid takes no blank between a node and its text", "write it as A>Text]"),
        slip(r"@\{[^{}]*\}\s+;", "Mermaid takes no blank between `}` and `;`", "write it as A@{ shape: rect };"),
        slip(
            r"<(?:--|==|-\.)\s[^|>]*?(?:-{2,}|={2,}|\.+-)(?:[xo]\s|\s|$)|\s[xo](?:--|==|-\.)\s[^|>]*?[-=]>",
            "the two ends of this link are not alike, and Mermaid refuses it",
            "write it as A -- text --> B",
        ),
        slip(r"[\w\])}]\s+end\s*$", "the `end` of a group stands on a line of its own", "begin a new line before it"),
    ]
});

/// Whether a flowchart begins with this line.
fn heads(line: &str) -> bool {
    let line = line.trim_start();
    ["graph", "flowchart"]
        .iter()
        .any(|word| line.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphabetic)))
}

/// Every place of a text where Mermaid refuses the whole chart.
pub(super) fn refused(text: &str) -> Vec<Fault> {
    let (mut faults, mut quoted, mut piped) = (Vec::new(), false, false);
    if !lines(text).iter().any(|line| heads(line.of(text))) {
        return faults; // It is no flowchart, and that is told of it.
    }
    for line in lines(text).into_iter().filter(|line| !line.is_silent()) {
        let within = quoted;
        quoted ^= line.of(text).matches('"').count() % 2 == 1;
        if within {
            continue; // The rest of a label over several lines.
        }
        let mut from = line.start;
        for end in breaks(line.of(text)).into_iter().map(|at| line.start + at).chain([line.end]) {
            faults.extend(looks(text, from..end));
            from = end + 1;
        }
        if line.speaks() {
            let pipes: Vec<usize> = masked(line.of(text)).match_indices('|').map(|(at, _)| at).collect();
            let closing: Vec<usize> = pipes.iter().copied().skip(usize::from(!piped)).step_by(2).collect();
            faults.extend(labels(text, &line, &closing));
            piped ^= pipes.len() % 2 == 1;
        }
    }
    faults
}

/// A statement about looks or a group that Mermaid cannot read.
fn looks(text: &str, span: Range<usize>) -> Option<Fault> {
    let statement = text.get(span.clone())?;
    let written = statement.trim_start();
    let place = span.end - written.len()..span.end - written.len() + written.trim_end().len();
    let keyword = written.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    if keyword == "subgraph" {
        if GROUP.as_ref()?.is_match(written) {
            return None;
        }
        let message = "Mermaid refuses the name of this group".to_owned();
        return Some(Fault::diagram(
            place,
            message,
            "write it as subgraph g1 [\"The name\"], with no blanks behind it",
        ));
    }
    let (_, pattern, example) = LOOKS.iter().find(|(word, ..)| *word == keyword)?;
    let is_node = written.get(keyword.len()..)?.starts_with(|c: char| !c.is_whitespace());
    if is_node || pattern.as_ref()?.is_match(written) {
        return None;
    }
    let message = format!("Mermaid refuses this line, which begins with `{keyword}` and so is about looks");
    let help = format!("write it as `{example}`, with one blank between its parts and none behind it, or leave it out");
    Some(Fault::diagram(place, message, help))
}

/// Labels and classes on a line of nodes and links that Mermaid cannot read; `closing` is where labels of links end.
fn labels(text: &str, line: &Line, closing: &[usize]) -> Vec<Fault> {
    let written = line.of(text);
    let masked = masked(written);
    let at = |range: Range<usize>| line.start + range.start..line.start + range.end;
    let mut faults = Vec::new();
    for (pattern, message, help) in SLIPS.iter() {
        for found in pattern.iter().flat_map(|pattern| pattern.find_iter(&masked)) {
            faults.push(Fault::diagram(at(found.range()), (*message).to_owned(), *help));
        }
    }
    for (open, _) in
        masked.match_indices('(').filter(|(open, _)| written.get(*open..).is_some_and(|rest| rest.starts_with("(-")))
    {
        let message = "Mermaid takes `(-` for a shape that it cannot draw".to_owned();
        faults.push(Fault::diagram(at(open..open + 2), message, "write it as A(\"- Text\")"));
    }
    for close in closing {
        let rest = written.get(close + 1..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        if blanks > 1 && blanks < rest.len() {
            let message = "Mermaid takes one blank behind the label of a link, and no more".to_owned();
            faults.push(Fault::diagram(at(close + 1..close + 1 + blanks), message, "write it as A -->|Yes| B"));
        }
    }
    for label in empty(written, &masked) {
        let message = "Mermaid refuses an empty label".to_owned();
        faults.push(Fault::diagram(at(label), message, "leave it out, or write a text"));
    }
    for open in markdown(written) {
        let rest = text.get(line.start + open + 2..).unwrap_or_default();
        let close = rest.find(['`', '"']).unwrap_or(rest.len());
        if close == 0 || !rest.get(close..).is_some_and(|rest| rest.starts_with("`\"")) {
            let message = "this label begins as Markdown, with \"`, and does not end so".to_owned();
            faults.push(Fault::diagram(at(open..open + 2), message, "end it with `\", or leave the ` out"));
        }
    }
    faults
}

/// Labels with nothing in them: `[]`, `("")`, `||`.
fn empty(line: &str, masked: &str) -> Vec<Range<usize>> {
    let flags = [">]", ">\"\"]"].into_iter().flat_map(|flag| masked.match_indices(flag));
    let mut labels: Vec<Range<usize>> = flags.map(|(at, flag)| at..at + flag.len()).collect();
    let mut open = None;
    for (at, character) in masked.char_indices() {
        let closes = matches!(character, '|' | ']' | ')' | '}');
        match open {
            Some(from) if closes => {
                let inner =
                    line.get(from..at).unwrap_or_default().trim_matches(['|', '[', ']', '(', ')', '{', '}', '/', '\\']);
                if inner.is_empty() || inner == "\"\"" {
                    labels.push(from..at + 1);
                }
                open = None;
            }
            None if matches!(character, '|' | '[' | '(' | '{') => open = Some(at),
            _ => {}
        }
    }
    labels
}

/// Where labels in Markdown begin on a line.
fn markdown(line: &str) -> Vec<usize> {
    let (mut quoted, mut opens) = (false, Vec::new());
    for (at, _) in line.match_indices('"') {
        if !quoted && line.get(at + 1..).is_some_and(|rest| rest.starts_with('`')) {
            opens.push(at);
        }
        quoted = !quoted;
    }
    opens
}
