//! The one thread that writes the file: all jobs that wait share one transaction and one flush.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Shared;
use crate::store::StoreError;
use crate::store::bells::Bells;
use crate::store::database::Outcome;

/// How many jobs share a transaction at most.
const MOST_TOGETHER: usize = 512;

/// How often it is seen whether another process wrote the file: a command that marks a ticket due is one.
const GLANCE: Duration = Duration::from_secs(1);

/// What a job does, and then how it answers once it is known whether the commit held.
pub(super) type Job = Box<dyn FnOnce(Outcome<Begun<'_>>) -> Answer + Send>;
pub(super) type Answer = Box<dyn FnOnce(Outcome<()>) + Send>;

/// The way to the thread.
pub(super) struct Writer {
    jobs: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

type Alone = Box<dyn FnOnce(&Shared) + Send>;

/// What waits for the thread.
enum Waiting {
    /// A job that shares a transaction with others.
    Job(Job),
    /// What cannot be done within a transaction.
    Alone(Alone),
}

/// The file is whole and closed when the last handle is gone.
impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ended = thread.join();
        }
    }
}

impl Writer {
    /// Starts the thread; it ends when the last handle is gone. The bells ring where another process wrote the file.
    pub(super) fn start(connection: Shared, bells: Arc<Bells>) -> std::io::Result<Writer> {
        let (jobs, waiting) = sync_channel(4 * MOST_TOGETHER);
        let work = move || {
            work(&connection, &waiting, &bells);
            let _found_at_the_next_start = super::empty_log(&connection);
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(work)?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs a job within a transaction; what it wrote is durable when this returns well.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Shared) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let (reply, answer) = oneshot::channel();
        self.submit(Box::new(move |begun| {
            let done = begun.and_then(|begun| begun.run(job));
            Box::new(move |committed| {
                let _caller_gone = reply.send(committed.and(done));
            })
        }))?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Has a job run and answered by and by.
    pub(super) fn submit(&self, job: Job) -> Outcome<()> {
        self.send(Waiting::Job(job))
    }

    /// Runs what cannot be within a transaction.
    pub(super) async fn run_alone(&self, job: fn(&Shared) -> Outcome<()>) -> Outcome<()> {
        let (reply, answer) = oneshot::channel();
        self.send(Waiting::Alone(Box::new(move |connection| {
            let _caller_gone = reply.send(job(connection));
        })))?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    fn send(&self, waiting: Waiting) -> Outcome<()> {
        self.jobs.as_ref().ok_or_else(gone)?.try_send(waiting).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable("too much waits to be written".into()),
            TrySendError::Disconnected(_) => gone(),
        })
    }
}

/// What is said where nobody is left to answer.
pub(super) fn gone() -> StoreError {
    StoreError::Unavailable("its writer has ended".into())
}

/// A transaction that has begun.
#[derive(Clone, Copy)]
pub(super) struct Begun<'a> {
    connection: &'a Shared,
    /// Whether other jobs are in it too.
    shared: bool,
    /// Set where nothing of it is to stay.
    undone: &'a Cell<bool>,
}

impl Begun<'_> {
    /// Runs one job so that its failure undoes only what it wrote.
    pub(super) fn run<T>(self, job: impl FnOnce(&Shared) -> Outcome<T>) -> Outcome<T> {
        let connection = self.connection;
        if connection.lock().is_autocommit() {
            // A full disk ends the whole transaction, not only the job that met it.
            return Err(StoreError::Unavailable("the transaction was given up".into()));
        }
        if !self.shared {
            return job(connection).inspect_err(|_| self.undone.set(true));
        }
        say(connection, "SAVEPOINT job")?;
        let done = job(connection);
        if done.is_err() {
            say(connection, "ROLLBACK TO job")?;
        }
        say(connection, "RELEASE job")?;
        done
    }
}

fn work(connection: &Shared, waiting: &Receiver<Waiting>, bells: &Bells) {
    let (mut seen, mut glanced) = (others(connection), Instant::now());
    loop {
        match waiting.recv_timeout(GLANCE) {
            Ok(Waiting::Job(first)) => {
                if let Some(alone) = together(connection, first, waiting) {
                    alone(connection);
                }
            }
            Ok(Waiting::Alone(alone)) => alone(connection),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if glanced.elapsed() >= GLANCE {
            let now = others(connection);
            if now != seen {
                bells.ring_all();
            }
            (seen, glanced) = (now, Instant::now());
        }
    }
}

/// A number that is another once some other process has written the file; none where it cannot be read.
fn others(connection: &Shared) -> Option<i64> {
    connection.lock().pragma_query_value(None, "data_version", |row| row.get(0)).ok()
}

/// Runs a job, and all that wait by then, in one transaction; what was met that cannot be in one is left to be done.
fn together(connection: &Shared, first: Job, waiting: &Receiver<Waiting>) -> Option<Alone> {
    let (mut jobs, mut met) = (vec![first], None);
    for next in waiting.try_iter().take(MOST_TOGETHER) {
        match next {
            Waiting::Job(job) => jobs.push(job),
            Waiting::Alone(alone) => {
                met = Some(alone);
                break;
            }
        }
    }
    let undone = Cell::new(false);
    // Without a transaction nothing is run, so that nothing is kept that was answered as lost.
    let begun = say(connection, "BEGIN IMMEDIATE");
    let begun = begun.map(|()| Begun { connection, shared: jobs.len() > 1, undone: &undone });
    let answers: Vec<Answer> = jobs.into_iter().map(|job| job(begun.clone())).collect();
    let committed = match begun {
        Ok(_) if undone.get() => Ok(()),
        Ok(_) => say(connection, "COMMIT"),
        Err(error) => Err(error),
    };
    if committed.is_err() || undone.get() {
        // After a failed commit the transaction may still be open; where it is not, this does nothing.
        let _not_open = connection.lock().execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.clone());
    }
    met
}

fn say(connection: &Shared, statement: &str) -> Outcome<()> {
    connection.run(statement, Vec::new()).map(drop)
}
