//! The one thread that writes the file: all jobs that wait share one transaction and one flush.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::StoreError;
use crate::store::wakes::Bells;

/// How many jobs share a transaction at most.
const MOST_TOGETHER: usize = 512;

/// How often it is seen whether another process wrote the file: a command that marks a ticket due is one.
const GLANCE: Duration = Duration::from_secs(1);

/// What a job does, and then how it answers once it is known whether the commit held.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The way to the thread.
pub(super) struct Writer {
    jobs: SyncSender<Job>,
}

impl Writer {
    /// Starts the thread; it ends when the last handle is gone. The bells ring where another process wrote the file.
    pub(super) fn start(connection: Connection, bells: Arc<Bells>) -> std::io::Result<Writer> {
        let (jobs, waiting) = sync_channel(4 * MOST_TOGETHER);
        std::thread::Builder::new().name("store".into()).spawn(move || work(&connection, &waiting, &bells))?;
        Ok(Writer { jobs })
    }

    /// Runs a job within a transaction; what it wrote is durable when this returns well.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let boxed: Job = Box::new(move |begun| {
            let done = begun.and_then(|connection| within_savepoint(connection, job));
            Box::new(move |committed| {
                let _caller_gone = reply.send(committed.and(done));
            })
        });
        let gone = || StoreError::Unavailable("its thread has ended".into());
        match self.jobs.try_send(boxed) {
            Ok(()) => {}
            Err(std::sync::mpsc::TrySendError::Full(_)) => {
                return Err(StoreError::Unavailable("too much waits to be written".into()));
            }
            Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return Err(gone()),
        }
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Runs one job so that its failure undoes only what it wrote.
fn within_savepoint<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if connection.is_autocommit() {
        // A full disk ends the whole transaction, not only the job that met it.
        return Err(StoreError::Unavailable("the transaction was given up".into()));
    }
    connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    let done = job(connection);
    if done.is_err() {
        connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    connection.prepare_cached("RELEASE job")?.execute([])?;
    done
}

fn work(connection: &Connection, waiting: &Receiver<Job>, bells: &Bells) {
    let (mut seen, mut glanced) = (others(connection), Instant::now());
    loop {
        match waiting.recv_timeout(GLANCE) {
            Ok(first) => together(connection, first, waiting),
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
fn others(connection: &Connection) -> Option<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok()
}

/// Runs a job, and all that wait by then, in one transaction.
fn together(connection: &Connection, first: Job, waiting: &Receiver<Job>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| error.to_string());
    let mut answers = Vec::new();
    for job in std::iter::once(first).chain(waiting.try_iter().take(MOST_TOGETHER)) {
        // Without a transaction nothing is run, so that nothing is kept that was answered as lost.
        answers.push(job(begun.as_ref().map(|()| connection).map_err(|why| StoreError::Unavailable(why.clone()))));
    }
    let committed = begun.and_then(|()| connection.execute_batch("COMMIT").map_err(|error| error.to_string()));
    if committed.is_err() {
        // After a failed commit the transaction may still be open; where it is not, this does nothing.
        let _not_open = connection.execute_batch("ROLLBACK");
    }
    let failure = committed.err();
    for answer in answers {
        answer(failure.clone().map_or(Ok(()), |why| Err(StoreError::Unavailable(why))));
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::Unavailable(error.to_string())
    }
}
