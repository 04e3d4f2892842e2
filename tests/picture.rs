//! What the picture says is what is done, or the policy is refused: every link, label, text and span of time.

use starwarden::decide::policy::Policy;
use starwarden::decide::policy::fault::Document;

const BINDING: &str = include_str!("../config/policy/star.toml");
const CHART: &str = include_str!("../config/policy/star.mmd");

/// What is wrong with a policy, with the text each fault points at; empty where it is sound.
fn faults(binding: &str, chart: &str) -> Vec<(String, String)> {
    let found = Policy::parse(binding, chart).err().unwrap_or_default();
    let place = |fault: &starwarden::decide::policy::fault::Fault| match fault.document {
        Document::Binding => binding[fault.span.clone()].to_owned(),
        Document::Diagram => chart[fault.span.clone()].to_owned(),
        Document::Examples(number) => panic!("no examples are given: {number}"),
    };
    found
        .iter()
        .map(|fault| (format!("{} | {}", fault.message, fault.help.clone().unwrap_or_default()), place(fault)))
        .collect()
}

/// The one fault of a policy: what it says, and the text it points at.
#[track_caller]
fn refused(binding: &str, chart: &str, says: &str, at: &str) {
    let found = faults(binding, chart);
    match found.as_slice() {
        [(message, place)] => assert!(message.contains(says) && place == at, "{says} at {at}: {found:#?}\n{chart}"),
        _ => panic!("one fault, {says} at {at}: {found:#?}\n{chart}"),
    }
}

#[track_caller]
fn sound(binding: &str, chart: &str) {
    let found = faults(binding, chart);
    assert!(found.is_empty(), "{found:#?}\n{chart}");
}

/// The shipped chart with one piece changed.
#[track_caller]
fn shipped(from: &str, to: &str) -> String {
    assert!(CHART.contains(from), "the piece to replace is not there: {from}");
    CHART.replacen(from, to, 1)
}

/// A small binding: `A` asks whether it is gone, `Ok` and `No` are outcomes, `X` and `X2` tasks.
const SMALL: &str = "diagram = \"small.mmd\"\n[nodes.A]\nyes_no = \"gone\"\n[nodes.Ok]\noutcome = \"ok\"\n[nodes.No]\noutcome = \"no_need\"\n\
    [outcomes.ok]\ntitle = \"OK to STAR\"\ndismisses = false\n[outcomes.no_need]\ntitle = \"No need\"\ndismisses = true\n[facts.gone]\nquestion = \"Is the licence gone?\"\n";

fn small(more: &str) -> String {
    format!("graph TD\n A[Is the licence gone?] -->|Yes| Ok[OK to STAR]\n A -->|No| No[No need]\n{more}")
}

/// The small binding with tasks, and with more.
fn with(tables: &str) -> String {
    format!("{SMALL}{tables}")
}

const TASKS: &str = "[nodes.X]\ntask = \"write\"\n[nodes.X2]\ntask = \"ring\"\n";

#[test]
fn an_outcome_ends_the_walk() {
    const NEVER: &str = "an outcome ends the walk: this exit is never taken";
    let task = "[nodes.X]\ntask = \"write\"\n";
    sound(&with(""), &small(""));
    sound(&with(task), &small(" No --> X[Write it down]"));
    sound(&with(TASKS), &small(" No --> X[Write it down] --> X2[Ring]"));
    for (more, help, at) in [
        (" No --> X[Write]\n No -->|Edge case| Ok", "`Ok` is an outcome too", "No -->|Edge case| Ok"),
        (" No -->|Edge case| Ok\n No --> X[Write]", "`Ok` is an outcome too", "No -->|Edge case| Ok"),
        (" No --> X[Write]\n No --> A2[Else]\n A2 --> Ok", "draw it before `No`", "No --> A2"),
    ] {
        refused(&with(task), &small(more), &format!("{NEVER} | take the link away"), at);
        assert!(faults(&with(task), &small(more))[0].0.contains(help), "{more}: {help}");
    }
    let two = small(" No --> X[Write]\n No --> X2[Ring]");
    refused(&with(TASKS), &two, &format!("{NEVER} | draw tasks one after the other: X-->X2"), "No --> X2");
    let asked = small(" No -->|If urgent| X[Write]");
    refused(
        &with(task),
        &asked,
        "the condition `If urgent` is never asked | take the label away: No-->X",
        "No -->|If urgent| X",
    );
    let past = small(" No --> X[Write]\n X --> Ok");
    refused(&with(task), &past, "`X` follows an outcome, which ends the walk: this exit is never taken", "X --> Ok");
    let unbound = small(" No --> X[Write]");
    refused(
        &with(""),
        &unbound,
        "the outcome `No` is followed by `X`, which is no task | bind it: [nodes.X] task",
        "No --> X",
    );
    // The most natural edits of the shipped chart.
    let end = "WP-->|After sales intervention|Pass";
    refused(BINDING, &shipped(end, &format!("{end}\n    No-->|Edge case|Pass")), NEVER, "No-->|Edge case|Pass");
    let both = shipped(end, &format!("{end}\n    Pass-->|On GitLab.com|X\n    Pass-->|Else|X"));
    assert_eq!(faults(BINDING, &both).len(), 2, "{:#?}", faults(BINDING, &both));
}

#[test]
fn a_span_in_the_picture_is_the_bindings() {
    let chart = |span: &str| {
        shipped(
            "Is the grace period expiring in more than 24h?",
            &format!("Is the grace period expiring in more than {span}?"),
        )
    };
    for span in [
        "24h",
        "24 h",
        "24 hours",
        "24 Hrs",
        "24-hour",
        "1 day",
        "1d",
        "a day",
        "one day",
        "ein Tag",
        "0.5 days and 12 hours",
        "some time",
        "24h or 1 day",
    ] {
        sound(BINDING, &chart(span));
    }
    for (span, words, written) in [
        ("48h", "48h", "48h"),
        ("48 hrs", "48 hrs", "48h"),
        ("2d", "2d", "48h"),
        ("two days", "two days", "48h"),
        ("a week", "a week", "7d"),
        ("3 Tage", "3 Tage", "3d"),
        ("1.5 days", "1.5 days", "36h"),
        ("half a day", "half a day", "12h"),
        ("24h or 2 days", "2 days", "48h"),
        ("a month", "a month", "30d"),
    ] {
        refused(
            BINDING,
            &chart(span),
            &format!(
                "the picture says {words}, and [nodes.H] more_than = \"24h\" | write more_than = \"{written}\" under [nodes.H], or 24h in the picture"
            ),
            &format!("[Is the grace period expiring in more than {span}?]"),
        );
    }
    let binding = BINDING.replacen(
        "more_than = \"24h\"\nuntil = \"grace_ends_at\"",
        "more_than = \"72h\"\nuntil = \"grace_ends_at\"",
        1,
    );
    refused(
        &binding,
        CHART,
        "the picture says 24h, and [nodes.H] more_than = \"3d\"",
        "[Is the grace period expiring in more than 24h?]",
    );
    // How long grace lasts may stand there too, and beside the span alone.
    sound(BINDING, &chart("24h of its 14 days"));
    let alone = shipped("Is the grace period expiring in more than 24h?", "Is the 14 day grace period long?");
    refused(BINDING, &alone, "the picture says 14 day, and [nodes.H] more_than", "[Is the 14 day grace period long?]");
    let grace = shipped("Is the customer in the grace period?", "Is the customer in the 30 day grace period?");
    refused(
        BINDING,
        &grace,
        "the picture says 30 day, and [times] grace_period = \"14d\"",
        "[Is the customer in the 30 day grace period?]",
    );
    let less =
        shipped("Is the grace period expiring in more than 24h?", "Is the grace period expiring in less than 24h?");
    refused(
        BINDING,
        &less,
        "the picture asks for `less than`, and [nodes.H] is Yes where it is more",
        "[Is the grace period expiring in less than 24h?]",
    );
}

#[test]
fn a_condition_is_the_one_that_is_asked() {
    let exit = |label: &str| shipped("FR1-->|Edge case|Pass", &format!("FR1-->{label}Pass"));
    for label in ["|Edge case|", "|the system errs|", "|Nobody is there|"] {
        sound(BINDING, &exit(label));
    }
    for (label, says) in [
        ("|No|", "`No` on the exit of `FR1` is no condition"),
        ("|Yes|", "`Yes` on the exit of `FR1` is no condition"),
        (
            "|No edge case|",
            "the picture says `No edge case` here, and [nodes.FR1] takes this exit where `edge_case` is yes",
        ),
        ("|Not an edge case|", "takes this exit where `edge_case` is yes"),
        ("|Without an edge case|", "takes this exit where `edge_case` is yes"),
        ("", "this exit of `FR1` has no condition on it, and is taken only where `edge_case` is yes"),
    ] {
        refused(BINDING, &exit(label), says, &format!("FR1-->{label}Pass"));
    }
    let task = small(" No --> X[Write]\n X -->|if urgent| X2[Ring the manager]");
    refused(&with(TASKS), &task, "the condition `if urgent` is never asked: `X` is a task", "X -->|if urgent| X2");
}

#[test]
fn an_answer_leads_where_its_name_stands() {
    sound(BINDING, &shipped("A-->WP", "A-->|Wrong product|WP"));
    sound(BINDING, &shipped("A-->WP", "A-->|wrong_product|WP"));
    refused(
        BINDING,
        &shipped("A-->WP", "A-->|Force reassociate|WP"),
        "the picture says `Force reassociate` here, which is the answer `force_reassociate`; [nodes.A] takes this exit for `wrong_product` | label it `Wrong product sold`",
        "A-->|Force reassociate|WP",
    );
    refused(
        BINDING,
        &shipped("A-->WP", "A-->|On Fridays|WP"),
        "`On Fridays` is neither the answer `wrong_product`",
        "A-->|On Fridays|WP",
    );
    // The texts of two answers change places: each is wrong.
    let crossed = shipped("WP[Wrong product sold]", "WP[Force Reassociate]").replacen(
        "FR[Force Reassociate]",
        "FR[Wrong product sold]",
        1,
    );
    let found = faults(BINDING, &crossed);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().any(|(message, at)| message.contains("`WP` reads `Force Reassociate`, which is the answer `force_reassociate`; [nodes.A] leads `wrong_product` here") && at == "[Force Reassociate]"), "{found:#?}");
    // So with outcomes, and with questions.
    let ends = shipped("No[No need for STAR]", "No[Ok to STAR]").replacen("Pass[Ok to STAR]", "Pass[Go on]", 1);
    refused(
        BINDING,
        &ends,
        "`No` reads `Ok to STAR`, which is the outcome `ok_to_star`, and is bound to `no_need`",
        "[Ok to STAR]",
    );
    let task = shipped("X[Manager to collect data for feedback and label STAR issue]", "X[Use the docs]");
    refused(
        BINDING,
        &task,
        "`X` reads `Use the docs`, which is the outcome `use_docs`, and is bound to something else",
        "[Use the docs]",
    );
    let question = shipped("T[Is this request for a trial?]", "T[Is this a sales-assisted trial?]");
    refused(
        BINDING,
        &question,
        "`T` asks the question of `sales_assisted`, and is bound to `trial`",
        "[Is this a sales-assisted trial?]",
    );
}

#[test]
fn every_link_is_taken_for_some_facts() {
    let binding = "[nodes.B]\nyes_no = \"gone\"\n";
    let again = "graph TD\n A[Gone?] -->|Yes| B[Still gone?]\n A -->|No| No[No need]\n B -->|Yes| Ok[OK to STAR]\n B -->|No| No";
    refused(
        &with(binding),
        again,
        "this exit is never taken: on every way to `B` the answer to `gone` is already another",
        "B -->|No| No",
    );
    // A second link between the same nodes is one more exit.
    refused(
        BINDING,
        &shipped("A-->WP[Wrong product sold]", "A-->WP[Wrong product sold]\n    A-->WP"),
        "this second link from `A` to `WP` is never taken | keep one, or label each with its answer: A-->|answer|WP",
        "A-->WP",
    );
    let one_end = "graph TD\n A[Gone?] -->|Yes| Ok[OK to STAR]\n A -->|No| Ok";
    let binding = SMALL
        .replace("[nodes.No]\noutcome = \"no_need\"\n", "")
        .replace("[outcomes.no_need]\ntitle = \"No need\"\ndismisses = true\n", "");
    sound(&binding, one_end);
}

#[test]
fn a_rule_is_drawn_with_arrows() {
    for (link, says) in [
        ("Exp--x|No|Pass", "the line between `Exp` and `Pass` is crossed out"),
        ("Exp--o|No|Pass", "the line between `Exp` and `Pass` ends in a circle"),
        ("Exp---|No|Pass", "the line between `Exp` and `Pass` has no arrow"),
        ("Exp<-->|No|Pass", "the link between `Exp` and `Pass` points both ways"),
    ] {
        refused(BINDING, &shipped("Exp-->|No|Pass", link), says, link);
    }
    for link in ["Exp-.->|No|Pass", "Exp==>|No|Pass", "Exp---->|No|Pass"] {
        sound(BINDING, &shipped("Exp-->|No|Pass", link));
    }
    sound(BINDING, &shipped("Exp-->|No|Pass", "Exp-->|No|Pass\n    WP ~~~ FR"));
}

#[test]
fn yes_and_no_in_another_language_are_said_in_the_binding() {
    let chart = "graph TD\n A[Ist die Lizenz weg?] -->|Ja| Ok[OK to STAR]\n A -->|nein| No[No need]";
    let found = faults(SMALL, chart);
    assert!(
        found.iter().all(|(message, _)| message.contains("the words of another language stand in [labels]")),
        "{found:#?}"
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    let labels = "[labels]\nyes = [\"Ja\"]\nno = [\"Nein\"]\n";
    sound(&with(labels), chart);
    sound(&with(labels), &small(""));
    refused(
        SMALL,
        "graph TD\n A[Gone?] -->|Yse| Ok[OK to STAR]\n A -->|No| No[No need]",
        "`Yse` answers nothing: `A` is a yes-or-no question | did you mean Yes?",
        "A[Gone?] -->|Yse| Ok",
    );
}
