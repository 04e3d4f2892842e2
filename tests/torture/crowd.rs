//! Whoever makes something happen: the helpdesk that delivers until it is heard, colleagues, managers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use starwarden::demo::helpdesk::{Publicity, StandIn};
use tokio::runtime::Runtime;

use super::books::{Book, Books, KINDS};
use super::pause;
use crate::support::{event, signed, ticket};

const SENDERS: u64 = 3;

/// How long a delivery may take to be heard.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everybody outside the bot.
#[derive(Clone)]
pub(super) struct Crowd {
    pub helpdesk: StandIn,
    /// Where the replicas are now.
    pub urls: Arc<Mutex<Vec<String>>>,
    /// Whether it is over.
    pub over: Arc<AtomicBool>,
}

impl Crowd {
    /// Starts everybody, each with some of the tickets.
    pub(super) fn start(&self, seed: u64, tickets: u64) -> Vec<JoinHandle<Books>> {
        let start = |nth: u64| {
            let (crowd, rng) = (self.clone(), Rng::with_seed(seed ^ (nth + 1)));
            let own = (1..=tickets).filter(move |id| id % SENDERS == nth).collect();
            std::thread::spawn(move || Sender::new(crowd, rng, format!("s{nth}")).run(own))
        };
        (0..SENDERS).map(start).collect()
    }

    /// Tells of every ticket once more, so that each is looked at in quiet.
    pub(super) fn last_word(&self, books: &mut Books) {
        let mut sender = Sender::new(self.clone(), Rng::with_seed(0), "last".into());
        for book in books.tickets.values_mut() {
            sender.deliver(book);
        }
        books.add(Books { heard: sender.heard, ..Books::default() });
    }
}

/// One of the crowd.
struct Sender {
    crowd: Crowd,
    rng: Rng,
    name: String,
    sent: u64,
    heard: Heard,
    http: reqwest::Client,
    runtime: Runtime,
}

/// What became of deliveries.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Heard {
    pub deliveries: u64,
    pub repeated: u64,
    pub tries: u64,
}

impl Sender {
    fn new(crowd: Crowd, rng: Rng, name: String) -> Sender {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(10)).build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (http, runtime) = (http.expect("a client"), runtime.expect("a runtime"));
        Sender { crowd, rng, name, sent: 0, heard: Heard::default(), http, runtime }
    }

    /// Makes things happen on these tickets for as long as there is time.
    fn run(mut self, tickets: Vec<u64>) -> Books {
        let mut books = Books::default();
        for id in &tickets {
            let kind = &KINDS[self.rng.usize(..KINDS.len())];
            self.crowd.helpdesk.add(ticket(*id, &[kind.tag]));
            let mut book = Book::new(*id, kind);
            self.deliver(&mut book);
            books.tickets.insert(*id, book);
        }
        while !self.crowd.over.load(Ordering::Relaxed) {
            let id = tickets[self.rng.usize(..tickets.len())];
            self.happens(books.tickets.get_mut(&id).expect("a book"));
            pause(&mut self.rng, 20..250);
        }
        books.heard = self.heard;
        books
    }

    /// Something changes on a ticket, or nothing, and the helpdesk tells of it, sometimes often.
    fn happens(&mut self, book: &mut Book) {
        let helpdesk = self.crowd.helpdesk.clone();
        match self.rng.u8(..6) {
            0 => {
                let tag = format!("colleague_{}_{}", self.name, self.sent);
                helpdesk.change(book.id, |reading| reading.ticket.tags.push(tag.clone()));
                book.colleague_tags.push(tag);
            }
            1 | 2 if book.answers < 20 => {
                let yes = self.rng.bool();
                let answer = format!("star: {}={}", book.kind.fact, if yes { "yes" } else { "no" });
                helpdesk.say(book.id, 7001, &answer, Publicity::Internal);
                book.answers += 1;
                book.verdict = if yes { book.kind.yes } else { book.kind.no };
            }
            3 => {
                // A customer who quotes the bot's note, and a fact besides, is not obeyed and changes nothing.
                let quoted = helpdesk.notes(book.id).pop().unwrap_or_default();
                let quoted = format!("star: {}=yes\n{quoted}", book.kind.fact);
                helpdesk.say(book.id, 5001, &quoted, Publicity::Public);
            }
            _ => {}
        }
        for _ in 0..self.rng.u8(1..4) {
            self.deliver(book);
        }
    }

    /// Delivers until it is heard; sometimes once more.
    fn deliver(&mut self, book: &mut Book) {
        self.sent += 1;
        let id = format!("{}-{}", self.name, self.sent);
        let (body, headers): (Value, &[(&str, &str)]) = if self.rng.bool() {
            (event(&id, book.id, "tags_changed"), &[])
        } else {
            (json!({ "ticket_id": book.id.to_string() }), &[("X-Zendesk-Webhook-Invocation-Id", &id)])
        };
        let (first, tries) = self.until_heard(&body, headers);
        assert!(first == "accepted" || tries > 1, "{id} was sent once and answered {first}");
        book.deliveries += 1;
        self.heard.deliveries += 1;
        if self.rng.u8(..4) == 0 {
            let (again, _) = self.until_heard(&body, headers);
            assert_eq!(again, "duplicate", "{id} was sent again");
            self.heard.repeated += 1;
        }
    }

    /// Delivers to any replica until one answers 200; what it answered, and how many tries it took.
    fn until_heard(&mut self, body: &Value, headers: &[(&str, &str)]) -> (String, u64) {
        let begun = Instant::now();
        for tries in 1.. {
            assert!(begun.elapsed() < PATIENCE, "not heard after {tries} tries");
            self.heard.tries += 1;
            let url = {
                let urls = self.crowd.urls.lock().expect("the urls");
                urls[self.rng.usize(..urls.len())].clone()
            };
            let call = signed(&self.http, &url, body, headers);
            let answer = self.runtime.block_on(async {
                let answer = call.send().await.ok()?;
                let status = answer.status().as_u16();
                Some((status, answer.json::<Value>().await.ok()?))
            });
            match answer {
                Some((200, answer)) => return (answer["status"].as_str().expect("a status").to_owned(), tries),
                Some((503, _)) | None => pause(&mut self.rng, 10..60),
                Some((status, answer)) => panic!("a delivery was answered {status}: {answer}"),
            }
        }
        unreachable!("the tries do not end before the patience")
    }
}
