//! Troubles the stand-in helpdesk makes: one that it is told to make, one that a ticket always meets, or many by chance, the same again for the same seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use axum::response::Response;
use fastrand::Rng;

use super::helpdesk::StandIn;

/// Something that goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A write answers this status and does nothing.
    WriteStatus(u16),
    /// A read answers this status.
    ReadStatus(u16),
    /// A call answers 429 and asks to wait this many seconds.
    Limited(u64),
    /// A write takes effect, and answers 502.
    LostAnswer,
    /// Somebody else changes the ticket between the read and the write.
    Meanwhile,
    /// The connection breaks, and nothing is done.
    Broken,
    /// A write takes effect, and the connection breaks.
    BrokenAfter,
    /// A call takes effect, and is answered so much later.
    Slow(Duration),
    /// The connection of a write breaks, and the write takes effect so much later.
    Late(Duration),
    /// A list of comments is as it was so long ago.
    Lagging(Duration),
}

impl Trouble {
    /// What it is called where troubles are counted.
    pub fn name(&self) -> &'static str {
        match self {
            Trouble::WriteStatus(409) => "409",
            Trouble::WriteStatus(500) | Trouble::ReadStatus(500) => "500",
            Trouble::WriteStatus(503) | Trouble::ReadStatus(503) => "503",
            Trouble::WriteStatus(_) | Trouble::ReadStatus(_) => "another status",
            Trouble::Limited(_) => "429",
            Trouble::LostAnswer => "write done, answer lost",
            Trouble::Meanwhile => "changed meanwhile",
            Trouble::Broken => "nothing done, connection broken",
            Trouble::BrokenAfter => "write done, connection broken",
            Trouble::Slow(_) => "answer too slow",
            Trouble::Late(_) => "connection broken, write done later",
            Trouble::Lagging(_) => "comments lag",
        }
    }

    /// Whether it can befall such a call.
    fn fits(&self, method: &Method, path: &str) -> bool {
        let writes = *method == Method::PUT;
        match self {
            Trouble::Limited(_) | Trouble::Broken | Trouble::Slow(_) => true,
            Trouble::ReadStatus(_) => !writes,
            Trouble::Lagging(_) => !writes && path.ends_with("/comments"),
            Trouble::WriteStatus(_)
            | Trouble::LostAnswer
            | Trouble::Meanwhile
            | Trouble::BrokenAfter
            | Trouble::Late(_) => writes,
        }
    }
}

/// The 429 that comes by chance.
const LIMITED: Trouble = Trouble::Limited(2);

/// How often calls on tickets go wrong.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    /// What the troubles are drawn from: the same call of the same ticket meets the same trouble for the same seed.
    pub seed: u64,
    /// The share of reads that go wrong, 0 to 1.
    pub reads: f64,
    /// The share of writes.
    pub writes: f64,
    /// How long the caller waits for an answer; a slow one comes later than that.
    pub patience: Duration,
}

impl Chance {
    /// What all the troubles that come by chance are called.
    pub fn names() -> BTreeSet<&'static str> {
        let (any, length) = (Rng::with_seed(0), Duration::ZERO);
        Chance::any(any, length).iter().chain([&LIMITED]).map(Trouble::name).collect()
    }

    /// Troubles of every kind but the rarest, with lengths by chance.
    fn any(mut rng: Rng, patience: Duration) -> [Trouble; 12] {
        let mut upto = |longest: Duration| longest.mul_f64(rng.f64());
        [
            Trouble::Slow(patience + upto(patience)),
            Trouble::Late(upto(12 * patience)),
            Trouble::Lagging(upto(6 * patience)),
            Trouble::Lagging(upto(2 * patience)), // Twice, for it befalls one kind of call alone.
            Trouble::ReadStatus(500),
            Trouble::ReadStatus(503),
            Trouble::WriteStatus(409),
            Trouble::WriteStatus(500),
            Trouble::WriteStatus(503),
            Trouble::LostAnswer,
            Trouble::Broken,
            Trouble::BrokenAfter,
        ]
    }

    /// What befalls the `nth` call of this kind on this path.
    fn draw(&self, method: &Method, path: &str, nth: u64) -> Option<Trouble> {
        let mut hasher = DefaultHasher::new();
        (self.seed, method.as_str(), path, nth).hash(&mut hasher);
        let mut rng = Rng::with_seed(hasher.finish());
        let share = if *method == Method::PUT { self.writes } else { self.reads };
        if rng.f64() >= share {
            return None;
        }
        // A 429 stops the whole account, so there are fewer of them.
        if rng.u8(..16) == 0 {
            return Some(LIMITED);
        }
        let any = Chance::any(rng.fork(), self.patience).into_iter();
        let fitting: Vec<Trouble> = any.filter(|trouble| trouble.fits(method, path)).collect();
        rng.choice(fitting)
    }
}

/// Troubles to come, and those that were made.
#[derive(Default)]
pub(super) struct Troubles {
    away: bool,
    told: VecDeque<Trouble>,
    of_tickets: BTreeMap<String, Trouble>,
    chance: Option<Chance>,
    calls: BTreeMap<(String, String), u64>,
    made: BTreeMap<&'static str, u64>,
    on_their_way: u64,
    canned: Vec<Canned>,
}

/// An answer that is given in the place of the stand-in's own.
#[derive(Debug, Clone)]
pub struct Canned {
    /// Of calls with this method.
    pub method: Method,
    /// On paths that begin so.
    pub path: String,
    /// How often; none for ever.
    pub times: Option<u32>,
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

impl Troubles {
    /// What befalls this call: all fail while the helpdesk is away; else the first that it was told to make and that
    /// fits, else by chance.
    fn next(&mut self, method: &Method, path: &str) -> Option<Trouble> {
        if self.away {
            return Some(Trouble::ReadStatus(503));
        }
        let told = self.told.iter().position(|trouble| trouble.fits(method, path));
        let trouble = match told {
            Some(place) => self.told.remove(place),
            None => self.of_ticket(method, path).or_else(|| self.by_chance(method, path)),
        };
        if let Some(trouble) = &trouble {
            *self.made.entry(trouble.name()).or_default() += 1;
        }
        trouble
    }

    fn of_ticket(&self, method: &Method, path: &str) -> Option<Trouble> {
        let id = path.strip_prefix("/api/v2/tickets/")?.split('/').next()?;
        self.of_tickets.get(id).filter(|trouble| trouble.fits(method, path)).copied()
    }

    fn by_chance(&mut self, method: &Method, path: &str) -> Option<Trouble> {
        let chance = self.chance.filter(|_| path.starts_with("/api/v2/tickets/"))?;
        let nth = self.calls.entry((method.to_string(), path.to_owned())).or_default();
        *nth += 1;
        chance.draw(method, path, *nth)
    }
}

impl StandIn {
    /// Answers every call with 503 from here on.
    pub fn goes_away(&self) {
        self.lock().troubles.away = true;
    }

    /// Is there again.
    pub fn comes_back(&self) {
        self.lock().troubles.away = false;
    }

    /// Makes the next fitting call go wrong.
    pub fn inject(&self, trouble: Trouble) {
        self.lock().troubles.told.push_back(trouble);
    }

    /// Answers calls with this instead of its own answer.
    pub fn answer_with(&self, canned: Canned) {
        self.lock().troubles.canned.push(canned);
    }

    /// Gives its own answers again.
    pub fn answer_as_usual(&self) {
        self.lock().troubles.canned.clear();
    }

    pub(super) fn canned(&self, method: &Method, path: &str) -> Option<Response> {
        let mut held = self.lock();
        let fits = |one: &&mut Canned| one.method == *method && path.starts_with(&one.path) && one.times != Some(0);
        let one = held.troubles.canned.iter_mut().find(fits)?;
        one.times = one.times.map(|times| times - 1);
        let mut answer = Response::builder().status(one.status);
        for (name, value) in &one.headers {
            answer = answer.header(*name, value);
        }
        answer.body(Body::from(one.body.clone())).ok()
    }

    /// Makes every fitting call on a ticket go wrong from here on; none for no more.
    pub fn trouble_with(&self, ticket: u64, trouble: Option<Trouble>) {
        let of_tickets = &mut self.lock().troubles.of_tickets;
        match trouble {
            Some(trouble) => drop(of_tickets.insert(ticket.to_string(), trouble)),
            None => drop(of_tickets.remove(&ticket.to_string())),
        }
    }

    /// Makes a share of the calls on tickets go wrong from here on; none for nothing more by chance.
    pub fn trouble_by_chance(&self, chance: Option<Chance>) {
        self.lock().troubles.chance = chance;
    }

    /// How many troubles were made, by name.
    pub fn troubles_made(&self) -> BTreeMap<&'static str, u64> {
        self.lock().troubles.made.clone()
    }

    /// How many late writes have still to take effect.
    pub fn on_their_way(&self) -> u64 {
        self.lock().troubles.on_their_way
    }

    pub(super) fn sets_out(&self) {
        self.lock().troubles.on_their_way += 1;
    }

    pub(super) fn arrives(&self) {
        self.lock().troubles.on_their_way -= 1;
    }

    pub(super) fn trouble(&self, method: &Method, path: &str) -> Option<Trouble> {
        self.lock().troubles.next(method, path)
    }
}
