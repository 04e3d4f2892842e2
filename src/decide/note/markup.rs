//! A note as paragraphs and lists, and its two forms: HTML for the helpdesk and plain text.

/// A note, before it is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(pub Vec<Block>);

/// A part of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Line(Vec<Span>),
    /// A heading.
    Title(String),
    /// A numbered list.
    Numbered(Vec<Vec<Span>>),
    /// A list.
    Bullets(Vec<Vec<Span>>),
    /// A list whose items may have lists of their own.
    Steps(Vec<Item>),
}

/// An item of a list, with those under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its words.
    pub spans: Vec<Span>,
    /// What stands indented below.
    pub under: Vec<Item>,
}

/// A run of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Plain words.
    Text(String),
    /// Words that stand out.
    Strong(String),
    /// Something to be typed as it is.
    Code(String),
    /// A link.
    Link {
        /// What is read.
        words: String,
        /// Where it leads; our own address or the policy's, never a customer's.
        to: String,
    },
}

/// Plain words.
pub fn text(words: impl Into<String>) -> Span {
    Span::Text(words.into())
}

/// Words that stand out.
pub fn strong(words: impl Into<String>) -> Span {
    Span::Strong(words.into())
}

/// Something to be typed as it is.
pub fn code(words: impl Into<String>) -> Span {
    Span::Code(words.into())
}

impl Note {
    /// As HTML for the helpdesk. All words are escaped here and nowhere else.
    pub fn html(&self) -> String {
        self.0.iter().map(block_html).collect()
    }

    /// As plain text; no line of it starts with `star:`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (index, block) in self.0.iter().enumerate() {
            let last = self.0.get(index.wrapping_sub(1));
            if index > 0 && !matches!(last, Some(Block::Title(_))) {
                text.push('\n');
            }
            match block {
                Block::Line(spans) => text.push_str(&format!("{}\n", line(spans))),
                Block::Title(title) => text.push_str(&format!("{title}\n")),
                Block::Numbered(items) => {
                    for (number, item) in items.iter().enumerate() {
                        text.push_str(&format!("{}. {}\n", number + 1, line(item)));
                    }
                }
                Block::Bullets(items) => items.iter().for_each(|item| text.push_str(&format!("- {}\n", line(item)))),
                Block::Steps(items) => text.push_str(&indented(items, "")),
            }
        }
        text
    }
}

fn indented(items: &[Item], indent: &str) -> String {
    let under = format!("{indent}  ");
    let item = |item: &Item| format!("{indent}- {}\n{}", line(&item.spans), indented(&item.under, &under));
    items.iter().map(item).collect()
}

fn line(spans: &[Span]) -> String {
    let words = spans.iter().map(|span| match span {
        Span::Text(words) => words.clone(),
        Span::Strong(words) => format!("**{words}**"),
        Span::Code(words) => format!("`{words}`"),
        Span::Link { words, to } => format!("{words} ({to})"),
    });
    let line: String = words.collect();
    line.split('\n').collect::<Vec<_>>().join(" ")
}

fn block_html(block: &Block) -> String {
    let items =
        |items: &[Vec<Span>]| -> String { items.iter().map(|item| format!("<li>{}</li>", spans_html(item))).collect() };
    match block {
        Block::Line(spans) => format!("<p>{}</p>", spans_html(spans)),
        Block::Title(title) => format!("<p><b>{}</b></p>", escape(title)),
        Block::Numbered(list) => format!("<ol>{}</ol>", items(list)),
        Block::Bullets(list) => format!("<ul>{}</ul>", items(list)),
        Block::Steps(list) => steps_html(list),
    }
}

fn steps_html(items: &[Item]) -> String {
    let item = |item: &Item| {
        let under = if item.under.is_empty() { String::new() } else { steps_html(&item.under) };
        format!("<li>{}{under}</li>", spans_html(&item.spans))
    };
    format!("<ul>{}</ul>", items.iter().map(item).collect::<String>())
}

fn spans_html(spans: &[Span]) -> String {
    let html = spans.iter().map(|span| match span {
        Span::Text(words) => escape(words),
        Span::Strong(words) => format!("<b>{}</b>", escape(words)),
        // A line is never broken behind `star:`.
        Span::Code(words) => format!("<code>{}</code>", escape(words).replacen("star: ", "star:&nbsp;", 1)),
        Span::Link { words, to } => format!("<a href=\"{}\">{}</a>", escape(to), escape(words)),
    });
    html.collect()
}

/// Text as HTML shows it.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}
