//! A flowchart within a Markdown page, such as the handbook's own: its one fence is what is read.

use std::borrow::Cow;
use std::ops::Range;

use super::fault::Fault;

/// The flowchart in a text: the text itself, or of a page its one flowchart, at the same place, with blanks around it.
///
/// # Errors
/// A page with several flowcharts, or with diagrams and no flowchart among them.
pub fn flowchart(text: &str) -> Result<Cow<'_, str>, Vec<Fault>> {
    let fences = fences(text);
    if fences.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    let is_flowchart = |fence: &&Range<usize>| {
        let inner = text.get((*fence).clone()).unwrap_or_default();
        let first = inner.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("%%"));
        first.is_some_and(|first| {
            first.starts_with("graph") || first.starts_with("flowchart") || first.starts_with("---")
        })
    };
    let charts: Vec<&Range<usize>> = fences.iter().filter(is_flowchart).collect();
    match charts.as_slice() {
        [chart] => {
            let front_matter = front_matter(text.get((*chart).clone()).unwrap_or_default());
            Ok(Cow::Owned(alone(text, &(chart.start + front_matter..chart.end))))
        }
        [] => {
            let span = fences.first().cloned().unwrap_or(0..0);
            Err(vec![Fault::diagram(
                span,
                "this page has diagrams, and no flowchart among them".into(),
                "begin one with `flowchart TD`",
            )])
        }
        [_, second, ..] => {
            let message = format!("this page has {} flowcharts", charts.len());
            let help = "put the one that is the rule into a file of its own, star.mmd";
            Err(vec![Fault::diagram((*second).clone(), message, help)])
        }
    }
}

/// What stands within the fences for Mermaid of a page.
fn fences(text: &str) -> Vec<Range<usize>> {
    let mut fences = Vec::new();
    let (mut start, mut open) = (0, None);
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        match open {
            None => {
                let marks = ["```", "~~~", ":::"].into_iter().find(|marks| trimmed.starts_with(marks));
                let opens = marks.filter(|marks| {
                    let kind = trimmed.trim_start_matches(marks.chars().next().unwrap_or('`')).trim();
                    kind.trim_start_matches('{').to_ascii_lowercase().starts_with("mermaid")
                });
                open = opens.map(|marks| (marks, start + line.len()));
            }
            Some((marks, from)) if trimmed.starts_with(marks) => {
                fences.push(from..start);
                open = None;
            }
            Some(_) => {}
        }
        start += line.len();
    }
    fences.extend(open.map(|(_, from)| from..text.len()));
    fences
}

/// How long the front matter of a chart is, which is about looks and is only read at the beginning of a text.
fn front_matter(chart: &str) -> usize {
    let (mut length, mut rules) = (0, 0);
    for line in chart.split_inclusive('\n') {
        let is_rule = line.trim() == "---";
        if rules == 0 && !is_rule && !line.trim().is_empty() {
            return 0;
        }
        length += line.len();
        rules += usize::from(is_rule);
        if rules == 2 {
            return length;
        }
    }
    0
}

/// A text with blanks for everything outside of a range, so that places stay the same.
fn alone(text: &str, range: &Range<usize>) -> String {
    let blank = |part: &str| -> String { part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect() };
    let [before, within, after] =
        [0..range.start, range.clone(), range.end..text.len()].map(|part| text.get(part).unwrap_or_default());
    format!("{}{within}{}", blank(before), blank(after))
}
