//! The real binary against a helpdesk full of troubles, killed at random and started again, and then every ticket looked
//! at: nothing lost, nothing twice.
//!
//! A run lasts half a minute or so, until every kind of trouble was made; `STARWARDEN_TORTURE=MINUTES` makes it long. It
//! is drawn from a seed, which is printed with its figures; `STARWARDEN_SEED=SEED` draws the same again: what is sent and
//! changed, who is killed or stopped, which call meets which trouble. Only how threads and processes interleave is not in
//! the seed.

mod books;
mod crowd;

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use starwarden::demo::helpdesk::StandIn;
use starwarden::demo::limit::Limit;
use starwarden::demo::troubles::Chance;
use starwarden::store::Store;
use tokio::runtime::Runtime;

use crate::support::middleman::{Meddling, Middleman};
use crate::support::tools::WrongClock;
use crate::support::{Bot, Desk, desk, postgres, serve_in};
use books::Books;
use crowd::Crowd;

/// How long the bot waits for an answer of the helpdesk.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the bot gets to bring everything to rest once the troubles are over.
const REST: Duration = Duration::from_secs(60);

/// How long a ticket stays with a replica that gives no sign of life.
const LEASE: Duration = Duration::from_secs(2);

/// What is different from the usual account.
const EXTRA: &str = "[work]\ntries = 1000\nnotes_in_ten_minutes = 25\nanswer_within = \"1s\"\nlease = \"2s\"";

/// How often bots are killed at least in a run.
const KILLS: u64 = 12;

/// How often replicas are stopped for longer than their leases at least in a run, where there are several.
const STOPS: u64 = 3;

/// What is done to answers on their way, for a while each.
const MEDDLING: [&str; 4] = ["slow", "cut", "damaged", "away"];

/// How far a bot's clock is set from its machine's at most, seconds; further, no dismissal would be written.
const WRONG_BY: i64 = 40;

/// How many calls a bot has in hand at most.
const IN_HAND: u64 = 8;

#[test]
fn tortured_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Store::sqlite(&folder.path().join("0/star.db")).expect("a store");
    torture("SQLite", folder.path(), 1, &[], &open);
}

#[test]
fn tortured_on_postgres() {
    on_postgres("PostgreSQL", 1);
}

#[test]
fn tortured_on_postgres_with_three_replicas() {
    on_postgres("PostgreSQL, three replicas", 3);
}

fn on_postgres(name: &str, replicas: usize) {
    let (folder, runtime) = (tempfile::tempdir().expect("a folder"), Runtime::new().expect("a runtime"));
    let url = runtime.block_on(postgres::shared().database());
    let open = || runtime.block_on(Store::postgres(&url)).expect("a store");
    torture(name, folder.path(), replicas, &[("STARWARDEN__STORE__URL", &url)], &open);
}

/// How long a run lasts and how much there is in it.
struct Size {
    length: Duration,
    tickets: u64,
}

fn size() -> Size {
    match std::env::var("STARWARDEN_TORTURE") {
        Ok(minutes) => {
            let minutes: u64 = minutes.parse().expect("STARWARDEN_TORTURE is a number of minutes");
            Size { length: Duration::from_secs(60 * minutes), tickets: 60 * minutes }
        }
        Err(_) => Size { length: Duration::from_secs(22), tickets: 144 },
    }
}

fn seed() -> u64 {
    std::env::var("STARWARDEN_SEED")
        .map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("STARWARDEN_SEED is a number"))
}

fn torture(name: &str, folder: &Path, replicas: usize, environment: &[(&str, &str)], open: &dyn Fn() -> Store) {
    let (seed, Size { length, tickets }) = (seed(), size());
    eprintln!("{name}: STARWARDEN_SEED={seed}"); // Where the run fails, this is shown.
    let desk = desk();
    desk.helpdesk.trouble_by_chance(Some(Chance { seed, reads: 0.1, writes: 0.5, patience: PATIENCE }));
    desk.helpdesk.limit(Some(Limit { calls: 60, every: Duration::from_secs(3) }));
    let middleman = Middleman::before(&desk);
    let mut replicas = Replicas::start(replicas, &desk, &middleman, folder, environment);
    let over = Arc::<AtomicBool>::default();
    let crowd = Crowd { helpdesk: desk.helpdesk.clone(), urls: replicas.urls.clone(), over: over.clone() };
    let senders: Vec<_> = crowd.start(seed, tickets);
    let begun = Instant::now();
    let mut rng = Rng::with_seed(seed);
    replicas.are_killed(length, &mut rng);
    let never = || -> Vec<&str> {
        let mut made = desk.helpdesk.troubles_made();
        made.extend(middleman.made());
        Chance::names().into_iter().chain(MEDDLING).filter(|name| !made.contains_key(name)).collect()
    };
    while !never().is_empty() && begun.elapsed() < length * 8 {
        // On a slow machine a bot that is killed does little; what was not made yet is made while all live.
        replicas.meddle(&mut rng);
        pause(&mut rng, 200..800);
    }
    middleman.meddle(|all| *all = Meddling::default());
    over.store(true, Ordering::Relaxed);
    let length = begun.elapsed();
    let mut books = Books::default();
    for sender in senders {
        books.add(sender.join().expect("a sender"));
    }
    desk.helpdesk.trouble_by_chance(None);
    desk.helpdesk.limit(None);
    crowd.last_word(&mut books);
    let runtime = Runtime::new().expect("a runtime");
    let store = open();
    let rested = Instant::now();
    while let Some(busy) = runtime.block_on(books.at_work(&store, &desk.helpdesk)) {
        assert!(rested.elapsed() < REST, "seed {seed}: no rest after {} s: {busy}", REST.as_secs());
        runtime.block_on(books.look_again(&store));
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let figures = runtime.block_on(books.balance(&store, &desk.helpdesk, seed));
    let mut made = desk.helpdesk.troubles_made();
    made.extend(middleman.made());
    let troubles: Vec<String> = made.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let Replicas { kills, stops, set, .. } = replicas;
    let violations = desk.helpdesk.violations();
    // Not by a macro: the figures of a run that went well are shown too.
    let _not_shown = writeln!(
        std::io::stderr(),
        "torture on {name}, seed {seed}: {:.1} s, killed {kills} times, stopped beyond the lease {stops} times, clocks set {set} times, {figures}; \
         calls though asked to wait {violations}; troubles: {}; at rest after {:.1} s",
        length.as_secs_f64(),
        troubles.join(", "),
        rested.elapsed().as_secs_f64(),
    );
    assert!(
        kills >= KILLS && stops >= replicas.stops_wanted() && set > 0,
        "seed {seed}: {kills} kills, {stops} stops and {set} clocks set are too few"
    );
    let never = never();
    assert!(never.is_empty(), "seed {seed}: troubles that were never made: {never:?}");
    // Who is killed forgets what it was just told; who is stopped may have been about to call.
    let forgiven = kills + IN_HAND * stops;
    assert!(violations <= forgiven, "seed {seed}: {violations} calls though asked to wait, {forgiven} may be");
}

/// The bots, which are killed and started again.
struct Replicas<'a> {
    helpdesk: StandIn,
    middleman: &'a Middleman,
    bots: Vec<Bot>,
    urls: Arc<Mutex<Vec<String>>>,
    start: Box<dyn Fn(usize) -> Bot + 'a>,
    /// The one that is stopped, and until when.
    stopped: Option<(usize, Instant)>,
    kills: u64,
    stops: u64,
    /// What each goes by, and how often they were set.
    clocks: Vec<WrongClock>,
    set: u64,
}

impl<'a> Replicas<'a> {
    fn start(
        count: usize,
        desk: &'a Desk,
        middleman: &'a Middleman,
        folder: &'a Path,
        environment: &'a [(&'a str, &'a str)],
    ) -> Replicas<'a> {
        // A folder each, for a configuration that is written again is read again.
        let own = move |nth: usize| folder.join(nth.to_string());
        (0..count).for_each(|nth| std::fs::create_dir_all(own(nth)).expect("a folder"));
        let clocks: Vec<WrongClock> = (0..count).map(|nth| WrongClock::in_folder(&own(nth))).collect();
        let variables: Vec<_> = clocks.iter().map(WrongClock::variables).collect();
        let start = Box::new(move |nth: usize| {
            let by_clock = variables[nth].iter().map(|(name, value)| (*name, value.as_str()));
            let environment: Vec<_> = environment.iter().copied().chain(by_clock).collect();
            serve_in(desk, &own(nth), &format!("{}{EXTRA}", middleman.base_url()), &environment)
        });
        let bots: Vec<Bot> = (0..count).map(&start).collect();
        let urls = Arc::new(Mutex::new(bots.iter().map(|bot| bot.url.clone()).collect()));
        let helpdesk = desk.helpdesk.clone();
        Replicas { helpdesk, middleman, bots, urls, start, stopped: None, kills: 0, stops: 0, clocks, set: 0 }
    }

    /// Waits until a write has taken effect or failed, half a second at most: what follows hits the bot between it and its record.
    fn wait_for_a_write(&self) {
        let (before, begun) = (self.helpdesk.writes(), Instant::now());
        while self.helpdesk.writes() == before && begun.elapsed() < PATIENCE / 2 {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Kills one or all of them at random moments, and stops one of several for longer than its leases, for so long, and
    /// then until all has happened that is to happen; four times so long at most. All run at the end.
    fn are_killed(&mut self, length: Duration, rng: &mut Rng) {
        let begun = Instant::now();
        while begun.elapsed() < length || (!self.all_happened() && begun.elapsed() < 4 * length) {
            match rng.u8(..3) {
                0 => pause(rng, 100..700),
                _ => self.wait_for_a_write(),
            }
            self.go_on(Instant::now());
            self.meddle(rng);
            if rng.u8(..4) == 0 {
                self.clocks[rng.usize(..self.clocks.len())].is_ahead(rng.i64(-WRONG_BY..=WRONG_BY));
                self.set += 1;
            }
            let all = rng.u8(..8) == 0;
            let one = rng.usize(..self.bots.len());
            if self.bots.len() > 1 && !all && rng.u8(..3) == 0 {
                self.stop(one, LEASE + Duration::from_millis(rng.u64(100..1500)));
                continue;
            }
            // Who is stopped is to come back as who was only slow.
            let stopped = self.stopped.map(|(nth, _)| nth);
            let which: Vec<usize> =
                (0..self.bots.len()).filter(|nth| (all || *nth == one) && stopped != Some(*nth)).collect();
            for nth in &which {
                self.bots[*nth].kill();
                self.kills += 1;
            }
            if rng.bool() {
                pause(rng, 0..300);
            }
            for nth in which {
                self.bots[nth] = (self.start)(nth);
                self.urls.lock().expect("the urls")[nth] = self.bots[nth].url.clone();
            }
        }
        if let Some((_, until)) = self.stopped {
            self.go_on(until);
        }
        self.clocks.iter().for_each(|clock| clock.is_ahead(0));
    }

    /// Has answers come late, cut short, damaged or not at all for a while, or as they are.
    fn meddle(&self, rng: &mut Rng) {
        let kind = rng.u8(..8);
        self.middleman.meddle(|all| {
            *all = match kind {
                0 => Meddling { slow: PATIENCE / 4, ..Meddling::default() },
                1 => Meddling { cut: 3, ..Meddling::default() },
                2 => Meddling { damaged: 3, ..Meddling::default() },
                3 => Meddling { away: true, ..Meddling::default() },
                _ => Meddling::default(),
            }
        });
    }

    /// Stops one, so that its leases end while it believes them its own; one at a time.
    fn stop(&mut self, nth: usize, length: Duration) {
        if self.stopped.is_none() {
            self.bots[nth].signal("STOP");
            self.stopped = Some((nth, Instant::now() + length));
        }
    }

    /// Has the one that was stopped go on, if its time is over.
    fn go_on(&mut self, now: Instant) {
        if let Some((nth, _)) = self.stopped.take_if(|(_, until)| *until <= now) {
            self.bots[nth].signal("CONT");
            self.stops += 1;
        }
    }

    fn stops_wanted(&self) -> u64 {
        if self.bots.len() > 1 { STOPS } else { 0 }
    }

    fn all_happened(&self) -> bool {
        let (made, meddled) = (self.helpdesk.troubles_made(), self.middleman.made());
        let all_made = Chance::names().iter().all(|name| made.contains_key(name))
            && MEDDLING.iter().all(|name| meddled.contains_key(name));
        all_made && self.kills >= KILLS && self.stops >= self.stops_wanted() && self.set > 0
    }
}

fn pause(rng: &mut Rng, milliseconds: std::ops::Range<u64>) {
    std::thread::park_timeout(Duration::from_millis(rng.u64(milliseconds)));
}
