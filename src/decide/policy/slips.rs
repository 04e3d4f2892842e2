//! What is wrong with a text that is no flowchart: the line, the characters, and how it should read.
//!
//! The parser speaks of its grammar, and often at the end of the text. So each line is read by itself, and the commonest
//! slips are looked for in those that cannot be read; a slip is only told where the line can be read without it.

use std::ops::Range;
use std::sync::LazyLock;

use merman::{Engine, ParseOptions};
use regex::Regex;

use super::fault::Fault;
use super::places::{Line, lines, within};

/// The most lines that are spoken of at once.
const MOST: usize = 20;

/// How many more lines a statement may go on.
const LONGEST: usize = 6;

/// Openings of labels with their ends; longer ones first.
const SHAPES: [(&str, &str); 14] = [
    ("(((", ")))"),
    ("((", "))"),
    ("([", "])"),
    ("[[", "]]"),
    ("[(", ")]"),
    ("{{", "}}"),
    ("[/", "/]"),
    ("[\\", "\\]"),
    ("[/", "\\]"),
    ("[\\", "/]"),
    ("[", "]"),
    ("(", ")"),
    ("{", "}"),
    (">", "]"),
];

/// What Mermaid takes for something else than text, unless it stands in quotes.
const STRUCTURAL: &str = "()[]{}\"@|<>";

/// An id that may stand at the start of a line, behind an arrow or behind `&`.
static IDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?:^|[-=.]>|[-=.][ox]\s|---|\|\s*|\s&\s)\s*([^\s\[\](){}|"&;<>=~\\-]+(?:-[^\s\[\](){}|"&;<>=~\\>.-]+)*)"#,
    )
    .ok()
});

static DIRECTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"direction\s+(?:TB|TD|BT|LR|RL)").ok());

/// Text that Mermaid leaves out or takes otherwise than it looks, though it can be read.
pub(super) fn strange(text: &str) -> Vec<Fault> {
    let mut faults = directives(text);
    for line in lines(text).into_iter().filter(|line| line.speaks()) {
        let written = line.of(text);
        let masked = masked(written);
        for (at, _) in masked.match_indices('&') {
            let touches = |side: Option<char>| side.is_some_and(|next| !next.is_whitespace());
            let (before, after) = (masked.get(..at).unwrap_or_default(), masked.get(at + 1..).unwrap_or_default());
            if touches(before.chars().next_back()) || touches(after.chars().next()) {
                let word =
                    |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
                let ends: String = word(&before.chars().rev().collect::<String>()).chars().rev().collect();
                let message = "Mermaid takes an `&` without blanks around it for a part of the node's id".to_owned();
                let span = line.start + at - ends.len()..line.start + at + 1 + word(after).len();
                faults.push(Fault::diagram(span, message, format!("put blanks around it: {ends} & {}", word(after))));
            }
        }
        if let Some(found) = DIRECTION.as_ref().and_then(|direction| direction.find(written))
            && !written.trim_start().starts_with("direction")
        {
            let message = format!("Mermaid takes this whole line for `{}` and draws nothing of it", found.as_str());
            let span = line.start + found.start()..line.start + found.end();
            faults.push(Fault::diagram(span, message, "say it in other words"));
        }
    }
    faults
}

/// Comments that begin like a directive: Mermaid draws what follows, and a parser leaves it out.
fn directives(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("%%{")).map(|found| at + found) {
        let rest = text.get(open + 3..).unwrap_or_default();
        let line = open..open + text.get(open..).and_then(|rest| rest.find('\n')).unwrap_or(text.len() - open);
        let name: String = rest.trim_start().chars().take_while(|c| c.is_ascii_alphabetic()).collect();
        let told = |message: &str| Fault::diagram(line.clone(), message.into(), "begin a comment with `%% `");
        match rest.find("}%%") {
            None => faults.push(told("this begins like a directive, `%%{`, and is never closed")),
            Some(_) if !["init", "initialize", "wrap", "config"].contains(&name.as_str()) => {
                faults
                    .push(told("this looks like a directive, `%%{ … }%%`, and is none: what stands in it is left out"));
            }
            Some(_) => {}
        }
        at = rest.find("}%%").map_or(line.end, |close| open + 3 + close + 3).max(open + 3);
    }
    faults
}

/// Every fault of a text that cannot be read; `at` is where the parser stopped, and `message` what it said.
pub(super) fn told(text: &str, at: Option<Range<usize>>, message: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let all = lines(text);
    let mut read_to = 0;
    for (number, line) in all.iter().enumerate().filter(|(_, line)| line.speaks()) {
        if line.start < read_to {
            continue;
        }
        if let Err((span, message)) = alone(line.of(text)) {
            if let Some(end) = continued(line, all.get(number + 1..).unwrap_or_default(), text) {
                read_to = end;
                continue;
            }
            let goes_on = all.get(number + 1..).unwrap_or_default().iter().any(Line::speaks);
            if goes_on && ends_in_link(line.of(text)) && !line.of(text).trim_end().ends_with(['|', '&']) {
                continue; // It leads to what the next line begins with.
            }
            faults.extend(slips(line, text).unwrap_or_else(|| vec![plain(line, text, span, &message)]));
        }
        if faults.len() >= MOST {
            break;
        }
    }
    if !faults.is_empty() {
        return faults;
    }
    let opened = all.iter().filter(|line| line.keyword(text) == "subgraph");
    let closed = all.iter().filter(|line| line.of(text).trim() == "end").count();
    if let Some(open) = opened.clone().nth(closed).filter(|_| opened.count() > closed) {
        return vec![Fault::diagram(
            open.trimmed(text),
            "this group is never closed".into(),
            "end it with a line `end`",
        )];
    }
    if let Some(header) = all.iter().find(|line| ["graph", "flowchart"].contains(&line.keyword(text)))
        && reads(&format!("{}\nA --> B\n", header.of(text))).is_err()
    {
        let help = "write TD, TB, BT, LR or RL behind it, and begin a new line";
        return vec![Fault::diagram(
            header.trimmed(text),
            "Mermaid takes a direction behind this word, and nothing else on its line".into(),
            help,
        )];
    }
    let span = at.filter(|span| span.start < text.len()).unwrap_or_else(|| last(&all, text));
    if text.get(span.clone()).is_some_and(|line| line.trim_start().starts_with("linkStyle")) {
        let help = "links are counted from 0 in the order of the text";
        return vec![Fault::diagram(span, "this is about a link that is not there".into(), help)];
    }
    let (message, help) = worded(message, text.get(span.clone()).unwrap_or_default());
    vec![Fault::diagram(span, message, help)]
}

/// Where a statement ends that goes on over the next lines, as a label may; none where it cannot be read with them either.
fn continued(line: &Line, next: &[Line], text: &str) -> Option<usize> {
    let ends = next.iter().take(LONGEST).map(|last| last.end);
    ends.into_iter().find(|&end| text.get(line.start..end).is_some_and(|statement| alone(statement).is_ok()))
}

/// The last line with something on it.
fn last(lines: &[Line], text: &str) -> Range<usize> {
    lines.iter().rev().map(|line| line.trimmed(text)).find(|span| !span.is_empty()).unwrap_or(0..0)
}

/// Whether a line can be read by itself, and if not, where and why.
fn alone(line: &str) -> Result<(), (Option<Range<usize>>, String)> {
    const HEADER: &str = "flowchart TD\n";
    reads(&format!("{HEADER}{line}\n")).map_err(|(span, message)| {
        let within = span.filter(|span| span.start >= HEADER.len() && span.start < HEADER.len() + line.len());
        (within.map(|span| span.start - HEADER.len()..(span.end - HEADER.len()).min(line.len())), message)
    })
}

/// The slips of a line without which it can be read; none where that is not all that is wrong.
fn slips(line: &Line, text: &str) -> Option<Vec<Fault>> {
    let written = line.of(text);
    let mut mended = Vec::new();
    mended.extend(labels(written));
    let covered = |at: usize, mended: &[Slip]| mended.iter().any(|slip| slip.span.contains(&at));
    let strange = ids(written).into_iter().filter(|slip| !covered(slip.span.start, &mended)).collect::<Vec<_>>();
    mended.extend(strange);
    mended.sort_by_key(|slip| slip.span.start);
    let (mut whole, mut from) = (String::new(), 0);
    for slip in &mended {
        whole.push_str(written.get(from..slip.span.start)?);
        whole.push_str(&slip.instead);
        from = slip.span.end;
    }
    whole.push_str(written.get(from..)?);
    if mended.is_empty() || alone(&whole).is_err() {
        return None;
    }
    let place = |slip: &Slip| line.start + slip.span.start..line.start + slip.span.end;
    Some(
        mended
            .iter()
            .filter(|slip| !slip.message.is_empty())
            .map(|slip| Fault::diagram(place(slip), slip.message.clone(), slip.help.clone()))
            .collect(),
    )
}

struct Slip {
    span: Range<usize>,
    instead: String,
    /// What is wrong; empty for a repetition.
    message: String,
    help: String,
}

/// Labels with characters that only stand in quotes.
fn labels(line: &str) -> Vec<Slip> {
    let mut slips = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let rest = line.get(at..).unwrap_or_default();
        if let Some(inner) = rest.strip_prefix('|') {
            let Some(end) = inner.find('|') else { break };
            slips.extend(quoted(at, "|", inner.get(..end).unwrap_or_default(), "|", ""));
            at += end + 2;
            continue;
        }
        let before = line.get(..at).unwrap_or_default();
        let id: String = before.chars().rev().take_while(|c| c.is_alphanumeric() || "_-.?':/".contains(*c)).collect();
        let id: String = id.chars().rev().collect();
        let shape = SHAPES.iter().filter(|(open, _)| rest.starts_with(open) && !id.is_empty() && !id.ends_with('-'));
        let label = shape.filter_map(|(open, close)| {
            let inner = rest.get(open.len()..)?;
            let end = inner
                .match_indices(close)
                .map(|(end, _)| end)
                .find(|end| ends_a_node(inner.get(end + close.len()..).unwrap_or_default()))?;
            Some((*open, inner.get(..end)?, *close))
        });
        if let Some((open, inner, close)) = label.into_iter().next() {
            slips.extend(quoted(at, open, inner, close, &id));
            at += open.len() + inner.len() + close.len();
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    slips
}

/// Whether what stands behind a label may stand behind a node.
fn ends_a_node(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty()
        || ["--", "-.", "==", "~~", "<-", "<=", "o-", "x-", "&", ";", ":::"].iter().any(|next| rest.starts_with(next))
}

fn quoted(at: usize, open: &str, inner: &str, close: &str, id: &str) -> Option<Slip> {
    let bare = inner.trim();
    let within = bare.strip_prefix('"').and_then(|bare| bare.strip_suffix('"'));
    let clean = within.map_or(!bare.contains(|c| STRUCTURAL.contains(c)), |within| !within.contains('"'));
    if clean {
        return None;
    }
    let words = within.unwrap_or(bare).replace("\\\"", "#quot;").replace('"', "#quot;");
    let instead = format!("{open}\"{words}\"{close}");
    let message = match within {
        Some(_) => "there are quotes within the quotes of this label; write them as #quot;".to_owned(),
        None if bare.contains(|c| c != '@' && STRUCTURAL.contains(c)) => {
            "brackets, quotes and | in a label are read only where the whole label is in quotes".to_owned()
        }
        None => "an @ in a label is read here only where the whole label is in quotes".to_owned(),
    };
    Some(Slip {
        span: at..at + open.len() + inner.len() + close.len(),
        help: format!("write it as {id}{instead}"),
        instead,
        message,
    })
}

/// Ids with characters that this reader does not take.
fn ids(line: &str) -> Vec<Slip> {
    let masked = masked(line);
    let Some(places) = IDS.as_ref() else { return Vec::new() };
    let mut slips: Vec<Slip> = Vec::new();
    for found in places.captures_iter(&masked).filter_map(|found| found.get(1)) {
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
        let (id, class) = found.as_str().split_once(":::").unwrap_or((found.as_str(), ""));
        let id = id.trim_end_matches(':');
        if !class.chars().all(plain) {
            let first: String = class.chars().take_while(|c| plain(*c)).collect();
            slips.push(Slip {
                span: found.end() - class.len()..found.end(),
                message: format!("a class may have letters, digits, _ and -, and `{class}` has others"),
                help: format!("write {id}:::{first}, and a second class on a line of its own: class {id} other"),
                instead: first,
            });
        }
        if id.chars().all(plain) && id != "end" {
            continue;
        }
        let kept: String = id.chars().filter(|c| plain(*c)).collect();
        let short = match kept.as_str() {
            "" => "N1".to_owned(),
            "end" => "End".to_owned(),
            kept => kept.to_owned(),
        };
        let after = line.get(found.start() + id.len()..).unwrap_or_default();
        let label = if after.starts_with(['[', '(', '{', '>']) { "[…]".to_owned() } else { format!("[\"{id}\"]") };
        let message = match id {
            "end" => "`end` is a word of Mermaid's own, and no id".to_owned(),
            _ => format!("an id may have letters, digits, _ and -, and `{id}` has others"),
        };
        slips.push(Slip {
            span: found.start()..found.start() + id.len(),
            instead: short.clone(),
            message,
            help: format!("write {short}{label}, and {short} wherever it is linked"),
        });
    }
    slips
}

/// A line whose labels are blank, byte by byte, so that what is left are ids and links.
pub(super) fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let (mut depth, mut quoted, mut piped) = (0_i32, false, false);
    for character in line.chars() {
        let outside = depth == 0 && !quoted && !piped;
        match character {
            '"' => quoted = !quoted,
            '|' if !quoted && depth == 0 => piped = !piped,
            '[' | '(' | '{' if !quoted && !piped => depth += 1,
            ']' | ')' | '}' if !quoted && !piped => depth = (depth - 1).max(0),
            _ => {}
        }
        let edge = "\"|[](){}".contains(character);
        if outside || (edge && depth == 0 && !quoted && !piped) {
            masked.push(character);
        } else {
            masked.extend(std::iter::repeat_n(' ', character.len_utf8()));
        }
    }
    masked
}

/// A line that cannot be read for another reason, in plain words.
fn plain(line: &Line, text: &str, span: Option<Range<usize>>, message: &str) -> Fault {
    let trimmed = line.trimmed(text);
    let place = span
        .filter(|span| !span.is_empty())
        .map_or(trimmed.clone(), |span| line.start + span.start..line.start + span.end);
    let place = if place.start >= trimmed.end { trimmed.clone() } else { place };
    let stopped_at = text.get(place.start..trimmed.end).unwrap_or_default();
    if let Some(arrow) = ["->", "=>", "→", "—", "–"].into_iter().find(|arrow| stopped_at.starts_with(arrow)) {
        let message = format!("`{arrow}` is no link of Mermaid's");
        return Fault::diagram(place.start..place.start + arrow.len(), message, "write it as A --> B");
    }
    let id = stopped_at.split([' ', '\t', '[', '(', '{', '|']).next().unwrap_or_default();
    if id.contains(['"', '#', '!', '$', '\'', '*', '+', '.', '?', '\\', '/', ':', ','])
        && !id.contains(['-', '=', '<', '>'])
    {
        let message = format!("an id may have letters, digits, _ and -, and `{id}` has others");
        let place = place.start..place.start + id.len();
        return Fault::diagram(place, message, "give the node a plain id, and its text in brackets: N1[\"…\"]");
    }
    let (message, help) = worded(message, text.get(trimmed).unwrap_or_default());
    Fault::diagram(place, message, help)
}

fn ends_in_link(line: &str) -> bool {
    ["-->", "---", "==>", "-.->", "|", "--", "&"].iter().any(|link| line.trim_end().ends_with(link))
}

/// What the parser said, in words for people; `line` is what stands there.
fn worded(message: &str, line: &str) -> (String, String) {
    if message.contains("pipe edge label") {
        return ("the label on this link is not closed".into(), "end it with `|`: A -->|Yes| B".into());
    }
    if message.contains("Unterminated") {
        return ("this label is not closed".into(), "close it with the bracket it was opened with: A[text]".into());
    }
    if ends_in_link(line) {
        return ("this link leads nowhere".into(), "write the node it leads to: A --> B".into());
    }
    if message.contains("nested quotes") {
        return ("there are quotes within the quotes of a label".into(), "write them as #quot;".into());
    }
    (
        "this line cannot be read as nodes and links".into(),
        "write a node as A[text] and a link as A -->|label| B; labels with brackets or quotes in quotes: A[\"text (more)\"]".into(),
    )
}

/// Whether a text can be read, and if not, where the parser stopped and what it said.
fn reads(text: &str) -> Result<(), (Option<Range<usize>>, String)> {
    match Engine::new().parse_diagram_for_render_model_sync(text, ParseOptions::strict()) {
        Ok(_) => Ok(()),
        Err(merman::Error::DiagramParse { diagnostic, .. }) => {
            let span = diagnostic.span().map(|span| within(text, span.start..span.end));
            Err((span, diagnostic.message().to_owned()))
        }
        Err(other) => Err((None, other.to_string())),
    }
}
