//! Where nodes and links stand in a Mermaid text, for faults to point at; the parser's model does not say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::fault::{Document, Fault};

/// Where nodes and links stand.
pub(super) struct Places {
    /// Mentions of nodes in the order of the text.
    mentions: Vec<Mention>,
    /// Of each node, which mentions are its own.
    of: HashMap<String, Vec<usize>>,
    /// How many mentions earlier links have used up.
    used: BTreeMap<(String, String), usize>,
}

struct Mention {
    id: String,
    span: Range<usize>,
    /// Which statement it stands in.
    statement: usize,
    /// The label it gives the node, with its brackets.
    label: Option<String>,
}

/// Statements that speak of looks and groups, not of nodes and links.
const ASIDE: [&str; 11] = [
    "graph",
    "flowchart",
    "flowchart-elk",
    "subgraph",
    "end",
    "direction",
    "classDef",
    "class",
    "style",
    "linkStyle",
    "click",
];

impl Places {
    /// Finds every mention of the nodes `ids` in `text`.
    pub(super) fn find(text: &str, ids: &[&str]) -> Places {
        let known: HashSet<&str> = ids.iter().copied().collect();
        let mut mentions = Vec::new();
        for (number, statement) in statements(text).into_iter().enumerate() {
            let mut at = statement.start;
            while at < statement.end {
                let rest = text.get(at..statement.end).unwrap_or_default();
                let Some(first) = rest.chars().next() else { break };
                if let Some(close) = ['|', '"'].iter().find(|&&quote| quote == first) {
                    at += rest.get(1..).and_then(|rest| rest.find(*close)).map_or(rest.len(), |end| end + 2);
                    continue;
                }
                if let Some(words) = words_on_link(rest) {
                    at += words;
                    continue;
                }
                let Some(id) = longest_id(text, at, &known) else {
                    at += word(rest).max(first.len_utf8());
                    continue;
                };
                let end = at + id.len();
                let label = label(text.get(end..statement.end).unwrap_or_default());
                mentions.push(Mention {
                    id: id.to_owned(),
                    span: at..end,
                    statement: number,
                    label: label.map(str::to_owned),
                });
                at = end + label.map_or(0, str::len);
            }
        }
        let mut of: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, mention) in mentions.iter().enumerate() {
            of.entry(mention.id.clone()).or_default().push(place);
        }
        Places { mentions, of, used: BTreeMap::new() }
    }

    fn own(&self, id: &str) -> impl Iterator<Item = &Mention> {
        self.of.get(id).into_iter().flatten().filter_map(|&place| self.mentions.get(place))
    }

    /// Where a node is defined, else first mentioned.
    pub(super) fn node(&self, id: &str) -> Range<usize> {
        let mut own = self.own(id).peekable();
        let first = own.peek().map(|mention| mention.span.clone());
        own.find(|mention| mention.label.is_some()).map(|mention| mention.span.clone()).or(first).unwrap_or(0..0)
    }

    /// Where a node's label stands, with its brackets; its id where it has none.
    pub(super) fn label(&self, id: &str) -> Range<usize> {
        let mut own = self.own(id);
        let labelled = own.find_map(|mention| Some((mention.span.end, mention.label.as_ref()?.len())));
        labelled.map_or_else(|| self.node(id), |(end, length)| end..end + length)
    }

    /// Where the next link between two nodes is drawn.
    pub(super) fn edge(&mut self, from: &str, to: &str) -> Range<usize> {
        let ends: Vec<&Mention> = self.own(to).collect();
        let end = |start: &Mention| {
            let next = ends.partition_point(|end| end.span.start < start.span.end);
            ends.get(next).filter(|end| end.statement == start.statement).map(|end| end.span.end)
        };
        let starts = self.own(from).filter_map(|start| Some(start.span.start..end(start)?));
        let drawn: Vec<Range<usize>> = starts.collect();
        let used = self.used.entry((from.to_owned(), to.to_owned())).or_default();
        let place = drawn.get(*used).or(drawn.last()).cloned();
        *used += 1;
        place.unwrap_or_else(|| self.node(from))
    }

    /// Nodes that are given two different labels: the later one would silently win.
    pub(super) fn contradictions(&self) -> Vec<Fault> {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        let mut faults = Vec::new();
        for mention in &self.mentions {
            let Some(label) = mention.label.as_deref().filter(|label| !label.starts_with('@')) else { continue };
            match first.get(mention.id.as_str()) {
                Some(before) if *before != label => faults.push(Fault {
                    document: Document::Diagram,
                    span: mention.span.clone(),
                    message: format!("`{}` is defined a second time, as {label} after {before}", mention.id),
                    help: Some("give it one text, or another id".into()),
                }),
                Some(_) => {}
                None => {
                    first.insert(&mention.id, label);
                }
            }
        }
        faults
    }
}

/// One line of a Mermaid text, without its end.
pub(super) struct Line {
    /// Where it starts, bytes.
    pub start: usize,
    /// Where it ends, without the end of the line.
    pub end: usize,
    speech: Speech,
}

/// What a line is for.
#[derive(PartialEq)]
enum Speech {
    /// Nodes and links.
    Graph,
    /// Front matter, a comment, a description for screen readers, or nothing.
    None,
    /// Looks and groups.
    Aside,
}

impl Line {
    /// Whether it speaks of nodes and links.
    pub(super) fn speaks(&self) -> bool {
        self.speech == Speech::Graph
    }

    /// Whether it says nothing that is drawn: front matter, a comment, a description for screen readers, or empty.
    pub(super) fn is_silent(&self) -> bool {
        self.speech == Speech::None
    }

    /// Its text.
    pub(super) fn of<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Its first word.
    pub(super) fn keyword<'t>(&self, text: &'t str) -> &'t str {
        self.of(text).split_whitespace().next().unwrap_or_default()
    }

    /// Its place without the white space around it.
    pub(super) fn trimmed(&self, text: &str) -> Range<usize> {
        let written = self.of(text);
        let start = self.start + written.len() - written.trim_start().len();
        start..start.max(self.start + written.trim_end().len())
    }
}

/// The lines of a text.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut front_matter = text.trim_start_matches('\u{feff}').trim_start().starts_with("---");
    let (mut fences, mut described) = (0, false);
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start_matches('\u{feff}').trim();
        let keyword = trimmed.split_whitespace().next().unwrap_or_default();
        let speech = if front_matter {
            fences += usize::from(trimmed == "---");
            front_matter = fences < 2;
            Speech::None
        } else if described || is_description(trimmed) {
            described = (described || trimmed.contains('{')) && !trimmed.contains('}');
            Speech::None
        } else if trimmed.is_empty() || trimmed.starts_with("%%") {
            Speech::None
        } else if ASIDE.contains(&keyword.trim_end_matches(';')) && !is_end_as_id(trimmed) {
            Speech::Aside
        } else {
            Speech::Graph
        };
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        lines.push(Line { start, end, speech });
        start += line.len();
    }
    lines
}

/// Whether a line begins what is told to screen readers: `accTitle: …`, `accDescr { …`.
fn is_description(line: &str) -> bool {
    let rest = line.strip_prefix("accTitle").or_else(|| line.strip_prefix("accDescr"));
    rest.is_some_and(|rest| rest.trim_start().starts_with([':', '{']))
}

/// Whether `end` is written where an id should be: `end --> B`, `end[Done]`.
fn is_end_as_id(line: &str) -> bool {
    line.strip_prefix("end").is_some_and(|rest| rest.trim_start().starts_with(['-', '=', '~', '<', '&', '[', '(', '{']))
}

/// The statements that speak of nodes and links: lines or their parts between semicolons, comments and front matter left out.
fn statements(text: &str) -> Vec<Range<usize>> {
    let mut statements = Vec::new();
    for line in lines(text).into_iter().filter(|line| line.speech != Speech::None) {
        let mut from = line.start;
        for end in breaks(line.of(text)).into_iter().map(|at| line.start + at).chain([line.end]) {
            let statement = text.get(from..end).unwrap_or_default();
            let keyword = statement.split_whitespace().next().unwrap_or_default();
            if !ASIDE.contains(&keyword) {
                statements.push(from..end);
            }
            from = end + 1;
        }
    }
    statements
}

/// Semicolons outside of quotes and brackets.
pub(super) fn breaks(line: &str) -> Vec<usize> {
    let (mut depth, mut quoted, mut breaks) = (0_i32, false, Vec::new());
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            ']' | ')' | '}' if !quoted => depth -= 1,
            ';' if !quoted && depth <= 0 => breaks.push(at),
            _ => {}
        }
    }
    breaks
}

/// The length of a link's opening and the words on it, where a text begins with them: `-- see B(x) `.
fn words_on_link(rest: &str) -> Option<usize> {
    let (open, close) =
        [("--", "--"), ("==", "=="), ("-.", ".-")].into_iter().find(|(open, _)| rest.starts_with(open))?;
    let words = rest.get(open.len()..)?;
    let first = words.chars().next()?;
    if !first.is_whitespace() || words.trim_start().starts_with(['-', '=', '.', '>']) {
        return None;
    }
    words.find(close).map(|end| open.len() + end)
}

/// The longest id that stands as a whole word at `at`.
fn longest_id<'t>(text: &'t str, at: usize, ids: &HashSet<&str>) -> Option<&'t str> {
    let rest = text.get(at..)?;
    let run = rest.find(|c: char| !is_word(c) && c != '-' && c != '.').unwrap_or(rest.len());
    let run = rest.get(..run)?;
    let ends = run.char_indices().map(|(start, c)| start + c.len_utf8()).collect::<Vec<_>>();
    ends.into_iter().rev().filter_map(|end| run.get(..end)).find(|id| ids.contains(id) && stands_here(text, at, id))
}

/// Whether the whole word at `at` is this id.
fn stands_here(text: &str, at: usize, id: &str) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    let Some(after) = text.get(at..).and_then(|rest| rest.strip_prefix(id)) else { return false };
    let mut after = after.chars();
    let (next, one_after) = (after.next(), after.next());
    let goes_on = match next {
        Some('-' | '.') => one_after.is_some_and(is_word), // `a-b` goes on, `a-->b` does not.
        Some(next) => is_word(next),
        None => false,
    };
    !goes_on && !before.is_some_and(is_word)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the word a text begins with.
fn word(text: &str) -> usize {
    text.find(|character: char| !is_word(character)).unwrap_or(text.len())
}

/// The label right behind a node's id, with its brackets.
fn label(rest: &str) -> Option<&str> {
    let opening = rest.chars().next().filter(|opening| "[({>@".contains(*opening))?;
    if opening == '@' && !rest.starts_with("@{") {
        return None;
    }
    let (mut depth, mut quoted) = (0_i32, false);
    for (at, character) in rest.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            '>' if at == 0 => depth += 1,
            ']' | ')' | '}' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return rest.get(..at + character.len_utf8());
                }
            }
            _ => {}
        }
    }
    None
}

/// A span that lies within the text, on the borders of characters.
pub(super) fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    start..text.ceil_char_boundary(span.end.clamp(start, text.len()))
}
