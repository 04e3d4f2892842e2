//! The picture: what is lit, what is marked, and that any viewer shows its words.

use starwarden::decide::facts::gather::{self, Stated};
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::policy::Policy;
use starwarden::decide::policy::drawing::{Chart, Shown};

/// The picture of a policy by itself, lit for these facts, at noon of 24 Nov 2026.
fn drawn(policy: &Policy, facts: &[&str]) -> String {
    let now = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let stated: Vec<Stated> = facts
        .iter()
        .map(|fact| fact.split_once('=').expect("a fact"))
        .map(|(fact, value)| Stated { fact: fact.into(), value: value.into(), source: Source::Given(Given::Case) })
        .collect();
    let gathered = gather::facts(policy, &Ids::default(), None, &stated, now);
    let decision = policy.decide(&gathered.facts, now);
    let lit = policy.lit(&decision);
    let chart = Chart::of(&policy.diagram).expect("laid out");
    chart.svg(&Shown { walked: &decision.walked, taken: &lit.taken, possible: &lit.possible, ..Shown::default() })
}

/// The classes of an element, by its whole id.
#[track_caller]
fn class<'a>(svg: &'a str, id: &str) -> &'a str {
    let (_, element) =
        svg.split_once(&format!(" id=\"{id}\" class=\"")).unwrap_or_else(|| panic!("{id} is not drawn: {svg}"));
    element.split('"').next().unwrap_or_default()
}

fn star() -> Policy {
    Policy::parse(include_str!("../config/policy/star.toml"), include_str!("../config/policy/star.mmd")).expect("sound")
}

const SMALL: &str = "diagram = \"small.mmd\"\n[nodes.a]\nyes_no = \"urgent\"\n[nodes.b]\nyes_no = \"partner\"\n[nodes.a-late]\ntask = \"wait\"\n\
    [nodes.ok]\noutcome = \"ok\"\n[nodes.ok-later]\noutcome = \"no_need\"\n[outcomes.ok]\ntitle = \"OK to STAR\"\ndismisses = false\n\
    [outcomes.no_need]\ntitle = \"No need\"\ndismisses = true\n[facts.urgent]\nquestion = \"Is it urgent?\"\n[facts.partner]\nquestion = \"Is it a partner?\"\n";

#[test]
fn the_lit_way_is_the_way_that_was_walked() {
    let chart = "graph TD\n a[Is it urgent?] -->|Yes| b[Is it a partner?]\n a -->|No| a-late[Wait] --> ok-later\n b -->|Yes| ok[OK to STAR]\n b -->|No| ok-later[No need]";
    let svg = drawn(&Policy::parse(SMALL, chart).expect("sound"), &["urgent=yes", "partner=yes"]);
    for (node, expected) in
        [("a", "node lit"), ("a-late", "node"), ("b", "node lit"), ("ok", "node lit"), ("ok-later", "node")]
    {
        assert_eq!(class(&svg, &format!("node-{node}")), expected, "{node}");
    }
    for (link, expected) in [
        ("L_a_b_0", "link normal lit"),
        ("L_a_a-late_0", "link normal"),
        ("L_b_ok_0", "link normal lit"),
        ("L_b_ok-later_0", "link normal"),
    ] {
        assert_eq!(class(&svg, &format!("link-{link}")), expected, "{link}");
    }
}

#[test]
fn of_two_exits_to_one_node_the_answered_one_is_lit() {
    let binding = SMALL.replace("[nodes.a-late]\ntask = \"wait\"\n", "");
    let chart = "graph TD\n a[Is it urgent?] -->|Yes| b[Is it a partner?]\n a -->|No| b\n b -->|Yes| ok[OK to STAR]\n b -->|No| ok-later[No need]";
    let policy = Policy::parse(&binding, chart).expect("sound");
    let links: Vec<&str> = policy.diagram.edges.iter().map(|edge| edge.id.as_str()).collect();
    for (answer, lit, dark) in [("yes", links[0], links[1]), ("no", links[1], links[0])] {
        let svg = drawn(&policy, &[&format!("urgent={answer}"), "partner=yes"]);
        assert_eq!(class(&svg, &format!("link-{lit}")), "link normal lit", "{answer}");
        assert_eq!(class(&svg, &format!("link-{dark}")), "link normal", "{answer}");
    }
}

#[test]
fn ends_that_are_still_possible_are_marked() {
    let svg = drawn(&star(), &["request=plan_license", "trial=no"]);
    for (node, expected) in [
        ("A", "node lit"),
        ("T", "node lit"),
        ("G", "node lit"),
        ("No", "node possible"),
        ("Pass", "node possible"),
        ("FR1", "node"),
        ("X", "node"),
    ] {
        assert_eq!(class(&svg, &format!("node-{node}")), expected, "{node}");
    }
    assert!(svg.contains("It may still end at: No need for STAR; Ok to STAR</desc>"), "{svg}");
    let rests = drawn(&star(), &["request=force_reassociate"]);
    assert_eq!(
        (class(&rests, "node-FR1"), class(&rests, "node-Pass"), class(&rests, "node-No")),
        ("node lit", "node possible", "node")
    );
}

#[test]
fn any_viewer_shows_the_words_and_any_page_its_colours() {
    let svg = drawn(&star(), &["request=plan_license", "trial=yes", "sales_assisted=no"]);
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && !svg.contains("foreignObject"));
    for words in ["Is the customer in the", "No need for STAR", ">Yes</text>", ">After sales intervention</text>"] {
        assert!(svg.contains(words), "{words}: {svg}");
    }
    assert!(
        svg.contains("<title>Flowchart</title>")
            && svg.contains("prefers-color-scheme:dark")
            && svg.contains("class=\"ground\"")
    );
    assert!(svg.contains("<title>No need for STAR, on the way</title>"), "{svg}");
    let outside = ["http:", "https:", "url("].map(|word| svg.matches(word).count());
    assert_eq!(outside, [1, 0, svg.matches("marker-end").count()], "it refers to nothing outside");
    let page = Chart::of(&star().diagram)
        .expect("laid out")
        .svg(&Shown { link: Some("/decisions?node="), ..Shown::default() });
    assert!(
        !page.contains("<style") && page.contains("<a id=\"node-FR1\" class=\"node\" href=\"/decisions?node=FR1\""),
        "{page}"
    );
}

#[test]
fn what_a_chart_says_is_escaped() {
    let chart = "graph TD\n A[\"<script>alert(1)</script> & more\"] -->|\"a < b\"| B";
    let diagram = starwarden::decide::policy::diagram::Diagram::parse(chart).expect("read");
    let svg = Chart::of(&diagram).expect("laid out").svg(&Shown::default());
    assert!(!svg.contains("<script") && svg.contains("&amp; more") && svg.contains("a &lt; b"), "{svg}");
}

#[test]
fn groups_rings_and_every_direction_are_drawn() {
    for direction in ["TD", "BT", "LR", "RL"] {
        let chart = format!(
            "flowchart {direction}\nsubgraph one [Group One]\n A{{Is it?}} --> B((so))\n subgraph two\n C([x])\n end\n end\n B --> C --> A\n A --> A\n D ~~~ C"
        );
        let diagram = starwarden::decide::policy::diagram::Diagram::parse(&chart).expect("read");
        let svg = Chart::of(&diagram).expect("laid out").svg(&Shown::default());
        assert!(
            svg.contains("Group One") && svg.matches("class=\"node\"").count() == 4 && !svg.contains("NaN"),
            "{direction}: {svg}"
        );
    }
}
