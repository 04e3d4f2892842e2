//! The walk against brute force, on random charts with random knowledge.
//!
//! The brute force shares nothing with the walk: it goes through every completion of what is unknown, hour by hour.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use starwarden::decide::facts::fact::{Fact, Facts, Finding, Spoken, Trust, Value};
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::policy::Policy;
use starwarden::decide::policy::decision::LeadsTo;

const GRACE: i64 = 48;

/// What a node asks; instants in hours.
#[derive(Debug, Clone)]
enum Ask {
    Word(usize),
    InGrace,
    More(&'static str, i64),
}

/// Where an exit leads: a node, or past the last one an outcome.
#[derive(Debug, Clone)]
struct Chart {
    nodes: Vec<(Ask, usize, usize)>,
}

const WORDS: [&str; 3] = ["wet", "cold", "late"];
const OUTCOMES: usize = 3;

fn chart() -> impl Strategy<Value = Chart> {
    let ask = prop_oneof![
        (0..WORDS.len()).prop_map(Ask::Word),
        Just(Ask::InGrace),
        (prop_oneof![Just("expires_at"), Just("grace_ends_at")], prop_oneof![Just(0_i64), Just(6), Just(24)])
            .prop_map(|(fact, hours)| Ask::More(fact, hours)),
    ];
    proptest::collection::vec((ask, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 1..7)
        .prop_map(|rough| {
            let count = rough.len();
            let nodes = rough.into_iter().enumerate().map(|(at, (ask, one, other, turned))| {
                // One exit leads on, so that every node is reached; the other anywhere further on.
                let further = |index: prop::sample::Index| at + 1 + index.index(count + OUTCOMES - at - 1);
                let (on, off) = if at + 1 < count {
                    (at + 1, further(one))
                } else {
                    (count + one.index(OUTCOMES), count + other.index(OUTCOMES))
                };
                if turned { (ask, on, off) } else { (ask, off, on) }
            });
            Chart { nodes: nodes.collect() }
        })
        .prop_filter("an exit that no facts lead through is refused", |chart| {
            let (binding, mermaid) = texts(chart);
            let faults = Policy::parse(&binding, &mermaid).err().unwrap_or_default();
            !faults.iter().any(|fault| fault.message.starts_with("this exit is never taken"))
        })
}

fn policy(chart: &Chart) -> Policy {
    let (binding, mermaid) = texts(chart);
    Policy::parse(&binding, &mermaid).unwrap_or_else(|faults| panic!("{faults:#?}\n{mermaid}\n{binding}"))
}

/// The chart as binding and Mermaid text.
fn texts(chart: &Chart) -> (String, String) {
    let count = chart.nodes.len();
    let name = |at: usize| if at < count { format!("q{at}") } else { format!("end{}", at - count) };
    let mut mermaid = String::from("flowchart TD\n");
    let mut binding = format!("diagram = \"x.mmd\"\n[times]\ngrace_period = \"{GRACE}h\"\n");
    let mut ends = BTreeSet::new();
    for (at, (ask, yes, no)) in chart.nodes.iter().enumerate() {
        mermaid.push_str(&format!("q{at}-->|Yes|{}\nq{at}-->|No|{}\n", name(*yes), name(*no)));
        ends.extend([*yes, *no].into_iter().filter(|to| *to >= count));
        binding.push_str(&match ask {
            Ask::Word(word) => format!("[nodes.q{at}]\nyes_no = \"{}\"\n", WORDS[*word]),
            Ask::InGrace => format!("[nodes.q{at}]\nyes_no = \"in_grace\"\n"),
            Ask::More(fact, hours) => format!("[nodes.q{at}]\nmore_than = \"{hours}h\"\nuntil = \"{fact}\"\n"),
        });
    }
    for end in ends {
        binding.push_str(&format!(
            "[nodes.{0}]\noutcome = \"{0}\"\n[outcomes.{0}]\ntitle = \"{0}\"\ndismisses = false\n",
            name(end)
        ));
    }
    for word in WORDS.iter().chain(&["in_grace"]) {
        binding.push_str(&format!("[facts.{word}]\n"));
    }
    for instant in ["expires_at", "grace_ends_at"] {
        binding.push_str(&format!(
            "[facts.{instant}]\nkind = \"instant\"\nsources = [{{ organization = \"{instant}\" }}]\n"
        ));
    }
    (binding, mermaid)
}

/// What is known: words as yes or no, instants as hours from now.
#[derive(Debug, Clone, Default)]
struct World {
    words: BTreeMap<&'static str, bool>,
    instants: BTreeMap<&'static str, i64>,
}

fn knowledge() -> impl Strategy<Value = World> {
    let word = || proptest::option::of(any::<bool>());
    let hours = || proptest::option::of(-60_i64..60);
    (
        word(),
        word(),
        word(),
        proptest::option::weighted(0.2, any::<bool>()),
        hours(),
        proptest::option::weighted(0.2, -60_i64..60),
    )
        .prop_map(|(wet, cold, late, in_grace, expires, ends)| {
            let words = [("wet", wet), ("cold", cold), ("late", late), ("in_grace", in_grace)];
            let instants = [("expires_at", expires), ("grace_ends_at", ends)];
            World {
                words: words.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
                instants: instants.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            }
        })
}

/// Where a chart ends in a world where everything needed is known, so many hours from now.
fn end(chart: &Chart, world: &World, now: i64) -> usize {
    let expires = world.instants["expires_at"];
    let ends = world.instants.get("grace_ends_at").copied().unwrap_or(expires + GRACE);
    let mut at = 0;
    while let Some((ask, yes, no)) = chart.nodes.get(at) {
        let holds = match ask {
            Ask::Word(word) => world.words[WORDS[*word]],
            Ask::InGrace => world.words.get("in_grace").copied().unwrap_or(expires <= now && now < ends),
            Ask::More("grace_ends_at", hours) => ends > now + hours,
            Ask::More(_, hours) => expires > now + hours,
        };
        at = if holds { *yes } else { *no };
    }
    at - chart.nodes.len()
}

/// Every world that agrees with what is known.
fn completions(known: &World) -> Vec<World> {
    let mut worlds = vec![known.clone()];
    for word in WORDS.iter().filter(|word| !known.words.contains_key(*word)) {
        let with = |world: &World, value| {
            let mut world = world.clone();
            world.words.insert(word, value);
            world
        };
        worlds = worlds.iter().flat_map(|world| [with(world, true), with(world, false)]).collect();
    }
    if !known.instants.contains_key("expires_at") {
        worlds = (-80..80)
            .flat_map(|hours| {
                worlds.iter().cloned().map(move |mut world| {
                    world.instants.insert("expires_at", hours);
                    world
                })
            })
            .collect();
    }
    worlds
}

fn possible(chart: &Chart, known: &World) -> Vec<String> {
    let ends: BTreeSet<usize> = completions(known).iter().map(|world| end(chart, world, 0)).collect();
    ends.into_iter().map(|end| format!("end{end}")).collect()
}

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().expect("an instant")
}

fn facts(world: &World) -> Facts {
    let known = |value| Finding::Known(Fact::new(value, Trust::Stated, Source::Given(Given::Case)));
    let words = world
        .words
        .iter()
        .map(|(name, value)| ((*name).to_owned(), known(Value::Word(if *value { "yes" } else { "no" }.into()))));
    let instants = world
        .instants
        .iter()
        .map(|(name, hours)| ((*name).to_owned(), known(Value::Instant(now() + TimeDelta::hours(*hours)))));
    words.chain(instants).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn possible_is_exactly_what_the_completions_end_in(chart in chart(), known in knowledge()) {
        let decision = policy(&chart).decide(&facts(&known), &Spoken::default(), now());
        let expected = possible(&chart, &known);
        prop_assert_eq!(&decision.possible, &expected);
        match expected.as_slice() {
            [one] => prop_assert_eq!((&decision.verdict, decision.missing.len()), (one, 0)),
            _ => prop_assert!(decision.verdict == "needs_facts" && !decision.missing.is_empty(), "{:#?}", decision),
        }
    }

    #[test]
    fn an_answer_leads_to_exactly_what_stating_it_leaves_possible(chart in chart(), known in knowledge()) {
        let decision = policy(&chart).decide(&facts(&known), &Spoken::default(), now());
        let mut left = Vec::new();
        for missing in &decision.missing {
            let word = WORDS.iter().chain(&["in_grace"]).find(|word| **word == missing.fact);
            let LeadsTo::Words(words) = &missing.leads_to else { continue };
            for (answer, leads_to) in words {
                let mut stated = known.clone();
                stated.words.insert(word.expect("a word"), answer == "yes");
                let mut left = possible(&chart, &stated);
                left.retain(|outcome| decision.possible.contains(outcome));
                prop_assert_eq!(leads_to, &left, "{}={}", missing.fact, answer);
            }
            left.push(words.values().map(Vec::len).sum::<usize>());
        }
        prop_assert!(left.is_sorted(), "the first question settles most: {:?}", left);
    }

    #[test]
    fn an_instants_stretches_cover_all_time_and_lead_to_what_every_instant_in_them_leaves_possible(
        chart in chart(), known in knowledge()
    ) {
        let decision = policy(&chart).decide(&facts(&known), &Spoken::default(), now());
        for missing in &decision.missing {
            let LeadsTo::Stretches(stretches) = &missing.leads_to else { continue };
            let fact = ["expires_at", "grace_ends_at"].into_iter().find(|name| *name == missing.fact).expect("an instant");
            let ends: Vec<_> = stretches.iter().map(|stretch| (stretch.from, stretch.until)).collect();
            prop_assert!(ends.first().is_some_and(|(from, _)| from.is_none()), "{:?}", ends);
            prop_assert!(ends.last().is_some_and(|(_, until)| until.is_none()), "{:?}", ends);
            prop_assert!(ends.windows(2).all(|two| two[0].1.is_some() && two[0].1 == two[1].0), "{:?}", ends);
            for hours in -80..80 {
                let at = now() + TimeDelta::hours(hours);
                let within = stretches.iter().find(|stretch| {
                    stretch.from.is_none_or(|from| from <= at) && stretch.until.is_none_or(|until| at < until)
                });
                let mut stated = known.clone();
                stated.instants.insert(fact, hours);
                let mut left = possible(&chart, &stated);
                left.retain(|outcome| decision.possible.contains(outcome));
                prop_assert_eq!(&within.expect("a stretch").outcomes, &left, "{} {}", fact, hours);
            }
        }
    }

    #[test]
    fn at_most_two_questions_are_asked_all_of_them_matter_and_no_answer_makes_the_second_moot(
        chart in chart(), known in knowledge()
    ) {
        let policy = policy(&chart);
        let decision = policy.decide(&facts(&known), &Spoken::default(), now());
        prop_assert!(decision.missing.len() <= 2, "{:#?}", decision);
        let flips = |known: &World, word: &'static str| {
            completions(known).iter().any(|world| {
                let mut turned = world.clone();
                turned.words.insert(word, !world.words[word]);
                end(&chart, world, 0) != end(&chart, &turned, 0)
            })
        };
        let asked = |place: usize| {
            let fact = decision.missing.get(place).map(|missing| missing.fact.as_str());
            WORDS.into_iter().find(|word| fact == Some(*word))
        };
        for word in [asked(0), asked(1)].into_iter().flatten() {
            prop_assert!(flips(&known, word), "{}: {:#?}", word, decision);
        }
        if let (Some(first), Some(second)) = (asked(0), asked(1)) {
            for answer in [true, false] {
                let mut stated = known.clone();
                stated.words.insert(first, answer);
                prop_assert!(flips(&stated, second), "{}={} makes {} moot", first, answer, second);
            }
        }
        let open = WORDS.into_iter().any(|word| !known.words.contains_key(word) && flips(&known, word));
        prop_assert!(!open || !decision.missing.is_empty(), "something that matters is open: {:#?}", decision);
    }

    #[test]
    fn a_verdict_holds_until_it_says(chart in chart(), known in knowledge(), expires in -60_i64..60) {
        let mut known = known;
        known.instants.insert("expires_at", expires);
        let policy = policy(&chart);
        let decision = policy.decide(&facts(&known), &Spoken::default(), now());
        let verdict = |at| policy.decide(&facts(&known), &Spoken::default(), at).verdict;
        let until = decision.valid_until.unwrap_or(now() + TimeDelta::hours(200));
        prop_assert!(until > now());
        for hour in 0..=200 {
            let at = now() + TimeDelta::hours(hour);
            if at < until {
                prop_assert_eq!(verdict(at), decision.verdict.clone(), "{} h on", hour);
            }
        }
        if let Some(until) = decision.valid_until {
            prop_assert_eq!(verdict(until - TimeDelta::seconds(1)), decision.verdict.clone(), "one second before");
            prop_assert_ne!(verdict(until), decision.verdict, "at it");
        }
    }
}
