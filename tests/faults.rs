//! Every fault a policy can have: what is said, and where it points.

use starwarden::decide::policy::Policy;
use starwarden::decide::policy::fault::Document;

const BINDING: &str = include_str!("../config/policy/star.toml");
const CHART: &str = include_str!("../config/policy/star.mmd");

/// The faults of the shipped policy with one piece of a text replaced: what they say and the text they point at.
#[track_caller]
fn faults(binding: (&str, &str), chart: (&str, &str)) -> Vec<(String, String)> {
    assert!(BINDING.contains(binding.0) && CHART.contains(chart.0), "the piece to replace is not there");
    let (binding, chart) = (BINDING.replacen(binding.0, binding.1, 1), CHART.replacen(chart.0, chart.1, 1));
    let faults = Policy::parse(&binding, &chart).expect_err("a fault");
    let place = |fault: &starwarden::decide::policy::fault::Fault| match fault.document {
        Document::Binding => binding[fault.span.clone()].to_owned(),
        Document::Diagram => chart[fault.span.clone()].to_owned(),
        Document::Examples(number) => panic!("no examples are given: {number}"),
    };
    faults
        .iter()
        .map(|fault| (format!("{} | {}", fault.message, fault.help.clone().unwrap_or_default()), place(fault)))
        .collect()
}

#[track_caller]
fn binding(from: &str, to: &str, says: &str, at: &str) {
    told(&faults((from, to), ("", "")), says, at);
}

#[track_caller]
fn chart(from: &str, to: &str, says: &str, at: &str) {
    told(&faults(("", ""), (from, to)), says, at);
}

#[track_caller]
fn told(faults: &[(String, String)], says: &str, at: &str) {
    assert!(
        faults.iter().any(|(message, place)| message.contains(says) && place.contains(at)),
        "{says} at {at}: {faults:#?}"
    );
}

#[test]
fn the_shipped_policy_is_sound() {
    Policy::parse(BINDING, CHART).expect("sound");
}

#[test]
fn a_sentence_and_a_title_are_for_an_answer_there_is() {
    binding(
        "wrong_product = \"Wrong product sold\"",
        "wrong_products = \"Wrong product sold\"",
        "`request` has a title for `wrong_products`, which is no answer to it | did you mean `wrong_product`?",
        "wrong_products",
    );
    binding(
        "sentences = { yes = \"It is an edge case.\"",
        "sentences = { yess = \"It is an edge case.\"",
        "`edge_case` has a sentence for `yess`, which is no answer to it | did you mean `yes`?",
        "yess",
    );
    binding(
        "sentences = { yes = \"The trial is run with Sales.\"",
        "sentences = { otherwise = \"Nobody says so.\"",
        "`sales_assisted` has a sentence for `otherwise`, which is no answer to it | the answers are: yes, no",
        "otherwise",
    );
    binding(
        "sentences = { ahead = \"The plan or licence expires",
        "sentences = { later = \"The plan or licence expires",
        "`expires_at` has a sentence for `later`, which is no answer to it | the answers are: ahead, past, within",
        "later",
    );
}

#[test]
fn whatever_a_checklist_names_is_there() {
    binding(
        "(trial_licence)",
        "(trial_license)",
        "[links] has no link `trial_license` | did you mean `trial_licence`?",
        "[a trial",
    );
    binding(
        "trial_licence = \"https",
        "trial_licence = \"http",
        "the link `trial_licence` leads to `http:",
        "trial_licence",
    );
    binding("[a trial licence](", "[a trial licence] (", "a bracket opens no link: write [words](name of a link)", "");
    binding("reply `star: edge", "reply star: edge", "a backtick is not closed", "");
    binding(
        "`star: edge_case=yes`",
        "`star: edge_case=yess`",
        "`edge_case` has no answer `yess` | did you mean `yes`?",
        "",
    );
    binding(
        "`star: edge_case=yes`",
        "`star: edge_cas=yes`",
        "[facts] has no fact `edge_cas` | did you mean `edge_case`?",
        "",
    );
    binding(
        "unless = { screenshot",
        "unless = { screnshot",
        "[facts] has no fact `screnshot` | did you mean `screenshot`?",
        "screnshot",
    );
    binding(
        "unless = { request = \"force_reassociate\" }",
        "unless = { request = \"reassociate\" }",
        "`request` has no answer `reassociate`",
        "reassociate",
    );
    binding("tells = [\"lr_available\"", "tells = [\"lr\"", "[facts] has no fact `lr` |", "lr");
    binding(
        "case = \"workflow\"",
        "case = \"workflows\"",
        "[facts] has no fact `workflows` | did you mean `workflow`?",
        "workflows",
    );
    binding(
        "case_unknown = \"unclear\"",
        "case_unknown = \"unclea\"",
        "[cases] has no case `unclea` | did you mean `unclear`?",
        "unclea",
    );
    binding(
        "[cases.saas_extension]",
        "[cases.saas_extensions]",
        "`workflow` has no answer `saas_extensions` | did you mean `saas_extension`?",
        "saas_extensions",
    );
    binding(
        "[cases.saas_extension]",
        "[cases.saas_extensions]",
        "the answer `saas_extension` of `workflow` has no case | add [cases.saas_extension] with its steps",
        "workflow",
    );
    binding(
        "[tasks.collect_feedback]",
        "[tasks.collect]",
        "[nodes] has no task `collect` | there are: collect_feedback",
        "collect",
    );
    binding(
        "asks_for_time = true",
        "asks_for_tim = true",
        "unknown key `asks_for_tim` | did you mean `asks_for_time`?",
        "asks_for_tim",
    );
}

#[test]
fn names_that_are_not_there_get_the_nearest_that_is() {
    binding("[nodes.Exp]", "[nodes.Exq]", "the diagram has no node `Exq` | did you mean `Exp`?", "Exq");
    binding("yes_no = \"trial\"", "yes_no = \"trail\"", "[facts] has no fact `trail` | did you mean `trial`?", "trail");
    binding(
        "outcome = \"no_need\"",
        "outcome = \"no_ned\"",
        "[outcomes] has no outcome `no_ned` | did you mean `no_need`?",
        "no_ned",
    );
    binding(
        "otherwise = \"use_docs\"",
        "otherwise = \"use_doc\"",
        "no outcome `use_doc` | did you mean `use_docs`?",
        "use_doc",
    );
    binding("plan_license = \"C\"", "plan_license = \"Q\"", "the diagram has no node `Q`", "Q");
}

#[test]
fn questions_without_answers_and_answers_without_questions() {
    binding("[nodes.T]\nyes_no = \"trial\"", "", "`T` asks something and nothing says what | bind it: [nodes.T]", "");
    chart("T-->|No|G[", "T-->|Nope|G[", "`Nope` answers nothing: `T` is a yes-or-no question", "T-->|Nope|G");
    chart("    SA-->|No|No\n", "", "`SA` has no exit for the answer no", "SA");
    chart("T-->|No|G[", "T-->|Yes|G[", "`T` has two exits for the answer yes", "T-->|Yes|SA");
    chart(
        "A-->WP[Wrong product sold]",
        "A-->WP[Wrong product sold]\n    A-->FR1",
        "no answer of `A` leads to `FR1`",
        "A-->FR1",
    );
    chart("A-->FR[Force Reassociate]", "C-->FR[Force Reassociate]", "`A` has no link to `FR`", "");
    binding(
        "[nodes.FR1]\nonly_if = \"edge_case\"\notherwise = \"use_docs\"",
        "[nodes.FR1]\nyes_no = \"edge_case\"",
        "`Edge case` answers nothing",
        "FR1",
    );
    chart(
        "FR1-->|Edge case|Pass",
        "FR1-->|Edge case|Pass\n    FR1-->|Other|No",
        "needs exactly one exit, and has 2",
        "FR1",
    );
}

#[test]
fn ways_that_lead_nowhere() {
    chart("FR1-->|Edge case|Pass", "FR1-->|Edge case|Lost", "the path ends at `Lost` without an outcome", "Lost");
    chart("G-->|No| Exp[Is", "G-->|No| T\n    Exp[Is", "goes round in a circle", "");
    chart("T-->|Yes|SA", "T<-->|Yes|SA", "the link between `T` and `SA` points both ways", "T");
    chart("A{LR starred ticket}-->", "Z[Alone]-->No\n    A{LR starred ticket}-->", "nothing leads from", "A");
    chart("No-->X[", "No-->Pass\n    No-->X[", "an outcome ends the walk: this exit is never taken", "No-->Pass");
    binding(
        "[outcomes.use_docs]",
        "[outcomes.unheard]\ntitle = \"x\"\ndismisses = false\n[outcomes.use_docs]",
        "no path ends in the outcome `unheard`",
        "unheard",
    );
}

#[test]
fn facts_that_cannot_answer() {
    let (before, expires_at) = BINDING.split_once("[facts.expires_at]\n").expect("the fact");
    assert!(!before.is_empty());
    let (sources, _) = expires_at.split_once("\n\n[").expect("its end");
    binding(sources, "kind = \"instant\"", "`expires_at` is compared with now, and has no source", "expires_at");
    binding(
        "until = \"expires_at\"",
        "until = \"trial\"",
        "the fact `trial` is a word, and this compares instants",
        "trial",
    );
    binding(
        "yes_no = \"trial\"",
        "yes_no = \"expires_at\"",
        "the fact `expires_at` is an instant, and this asks for a word",
        "expires_at",
    );
    binding(
        "{ otherwise = \"plan_license\" }",
        "{ otherwise = \"plan_licence\" }",
        "a source of `request` says `plan_licence`, which no node asks for",
        "plan_licence",
    );
    binding("[facts.screenshot]", "[facts.\"Screen Shot\"]", "could not be named in a reply", "Screen Shot");
    let guessed = "{ text_any = [\"use the docs\"], answer = \"no\" }";
    let (_, edge_case) = BINDING.split_once("[facts.edge_case]").expect("a fact");
    let (edge_case, _) = edge_case.split_once("\n\n[").expect("its end");
    let only_guessed =
        edge_case.replace("{ otherwise = \"no\" }", guessed).replace(", otherwise = \"No edge case is known.\"", "");
    binding(edge_case, &only_guessed, "`use_docs` dismisses, and only guesses lead to it", "use_docs");
}

#[test]
fn what_is_not_a_binding() {
    binding("[applies_to]", "[aplies_to]", "unknown key `aplies_to`", "aplies_to");
    binding("more_than = \"24h\"", "more_than = \"soon\"", "`soon` is not a span of time", "");
    binding("grace_period = \"14d\"", "grace_period = \"14\"", "`14` is not a span of time", "");
    binding("yes_no = \"trial\"", "yes_no = \"trial\"\noutcome = \"no_need\"", "a node has exactly one meaning", "");
    binding("{ tag_any = [\"trial\"], answer = \"no\",", "{ tag_any = [\"trial\"],", "needs an `answer`", "");
    binding("{ tag_any = [\"trial\"], answer = \"no\",", "{ answer = \"no\",", "names exactly one place", "");
    binding("\"begin forwarded message\"", "\"begin (forwarded message\"", "cannot be used", "");
    binding("[nodes.T]", "[nodes.T", "", "");
    chart("graph TD", "graph TD\n    A[", "this label is not closed", "");
}

#[test]
fn the_hash_is_of_what_is_said_and_not_of_how() {
    let hash = |binding: &str, chart: &str| Policy::parse(binding, chart).expect("sound").hash;
    let shipped = hash(BINDING, CHART);
    assert!(shipped.len() == 71 && shipped.starts_with("sha256:"));
    let laid_out = CHART
        .replace("    ", "\t")
        .replace("graph TD", "flowchart LR\n%% a comment\nclassDef loud fill:#f00\nstyle A fill:#0f0");
    assert_eq!(hash(&format!("# a comment\n\n{BINDING}"), &laid_out), shipped);
    assert_ne!(hash(&BINDING.replace("14d", "15d"), CHART), shipped);
    assert_ne!(hash(BINDING, &CHART.replace("No need for STAR", "No STAR")), shipped);
    assert_ne!(
        hash(
            BINDING,
            &CHART.replace(
                "H-->|Yes|No[No need for STAR]\n    H-->|No|Pass[Ok to STAR]",
                "H-->|No|No[No need for STAR]\n    H-->|Yes|Pass[Ok to STAR]"
            )
        ),
        shipped
    );
}

/// The handbook's chart before November 2023: in grace no need at once; a sales assisted trial goes on to grace.
#[test]
fn the_older_chart_runs_by_its_text_and_binding_alone() {
    let older = "graph TD\nA{LR starred ticket}--> T[Is this request for a trial?]\nT-->|No|G[Is the customer in the grace period?]\nT-->|Yes|SA[Is this a sales assisted trial?]\n\
        SA-->|Yes|G\nSA-->|No|No[No need for STAR]\nG-->|Yes|No\nG-->|No|Exp[Is it expiring in more than 24h?]\nExp-->|Yes|No\nExp-->|No|Pass[Ok to STAR]";
    let binding = "diagram = \"old.mmd\"\n[times]\ngrace_period = \"14d\"\n[nodes.T]\nyes_no = \"trial\"\n[nodes.SA]\nyes_no = \"sales_assisted\"\n[nodes.G]\nyes_no = \"in_grace\"\n\
        [nodes.Exp]\nmore_than = \"24h\"\nuntil = \"expires_at\"\n[nodes.No]\noutcome = \"no_need\"\n[nodes.Pass]\noutcome = \"ok_to_star\"\n\
        [outcomes.no_need]\ntitle = \"No need\"\ndismisses = true\n[outcomes.ok_to_star]\ntitle = \"OK\"\ndismisses = false\n\
        [facts.trial]\n[facts.sales_assisted]\n[facts.in_grace]\n[facts.expires_at]\nkind = \"instant\"\nsources = [{ organization = \"expiration_date\" }]";
    let policy = Policy::parse(binding, older).expect("sound");
    let now = "2026-11-24T12:00:00Z".parse().expect("an instant");
    for (facts, verdict, until) in [
        (&["trial=no", "expires_at=2026-11-11"][..], "no_need", Some("2026-11-25T00:00:00+00:00")),
        (&["trial=no", "expires_at=2026-11-10"], "ok_to_star", None),
        (&["trial=yes", "sales_assisted=yes", "expires_at=2026-11-20"], "no_need", Some("2026-12-04T00:00:00+00:00")),
        (&["trial=yes", "sales_assisted=no"], "no_need", None),
        (&["trial=no"], "needs_facts", None),
        (&["expires_at=2026-11-30"], "no_need", Some("2026-11-29T00:00:00+00:00")),
    ] {
        let stated: Vec<_> = facts
            .iter()
            .map(|fact| fact.split_once('=').expect("a fact"))
            .map(|(fact, value)| starwarden::decide::facts::gather::Stated {
                fact: fact.into(),
                value: value.into(),
                source: starwarden::decide::facts::source::Source::Given(
                    starwarden::decide::facts::source::Given::Case,
                ),
            })
            .collect();
        let gathered = starwarden::decide::facts::gather::facts(
            &policy,
            &starwarden::decide::facts::sources::Ids::default(),
            None,
            &stated,
            now,
        );
        let decision = policy.decide(&gathered.facts, &gathered.spoken, now);
        assert_eq!(
            (decision.verdict.as_str(), decision.valid_until.map(|at| at.to_rfc3339()).as_deref()),
            (verdict, until),
            "{facts:?}: {gathered:?}"
        );
    }
}
