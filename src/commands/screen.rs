//! What standard output can show: how wide it is, and whether in colour.

use std::io::{IsTerminal, stdout};

use clap::builder::styling::{AnsiColor, Style};
use textwrap::{Options, wrap};

/// The widest that text is written, characters: longer lines are hard to read.
const WIDEST: usize = 100;

/// Standard output, as far as text has to fit it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    /// Characters a line; none where it is no terminal, and lines are left as they are.
    width: Option<usize>,
    colour: Colour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    Shown,
    Plain,
}

/// What a text is, as far as its colour tells.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tone {
    /// Needs a manager.
    Escalates,
    /// Needs nobody.
    Dismisses,
    /// Needs an answer.
    Asks,
    /// A heading.
    Heading,
    /// Said beside the matter.
    Aside,
}

impl Screen {
    /// Standard output as it is; `NO_COLOR` with any text turns colours off.
    pub(super) fn of_stdout() -> Screen {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match stdout().is_terminal() {
            false => Screen { width: None, colour: Colour::Plain },
            true => Screen {
                width: Some(textwrap::termwidth().clamp(20, WIDEST)),
                colour: if set("NO_COLOR") || dumb { Colour::Plain } else { Colour::Shown },
            },
        }
    }

    /// Text whose lines fit; the lines that a line is broken into are indented as its own list mark is.
    pub(super) fn fit(self, text: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let lines = text.lines().flat_map(|line| {
            let indent = " ".repeat(mark(line));
            wrap(line, Options::new(width).subsequent_indent(&indent).break_words(true))
                .into_iter()
                .map(|line| line.into_owned())
                .collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Text in the colour of what it is.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let style = match tone {
            Tone::Escalates => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
            Tone::Dismisses => Style::new().bold().fg_color(Some(AnsiColor::Cyan.into())),
            Tone::Asks => Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())),
            Tone::Heading => Style::new().bold(),
            Tone::Aside => Style::new().dimmed(),
        };
        match self.colour {
            Colour::Plain => text.to_owned(),
            Colour::Shown => format!("{style}{text}{style:#}"),
        }
    }
}

/// How many characters the blanks and the mark of a list at the start of a line take.
fn mark(line: &str) -> usize {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let rest = line.trim_start_matches(' ');
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match () {
        () if rest.starts_with("- ") => blanks + 2,
        () if digits > 0 && rest.get(digits..).is_some_and(|rest| rest.starts_with(". ")) => blanks + digits + 2,
        () => blanks,
    }
}
