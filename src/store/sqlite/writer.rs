//! The one thread that touches the file: all jobs that wait share one transaction and one flush.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// How many jobs share a transaction at most.
const MOST_TOGETHER: usize = 512;

/// What a job does, and then how it answers once it is known whether the commit held.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The way to the thread.
pub(super) struct Writer {
    jobs: SyncSender<Job>,
}

impl Writer {
    /// Starts the thread; it ends when the last handle is gone.
    pub(super) fn start(connection: Connection) -> std::io::Result<Writer> {
        let (jobs, waiting) = sync_channel(4 * MOST_TOGETHER);
        std::thread::Builder::new().name("store".into()).spawn(move || work(&connection, &waiting))?;
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
    connection.execute_batch("SAVEPOINT job")?;
    let done = job(connection);
    let end = if done.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end)?;
    done
}

fn work(connection: &Connection, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
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
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::Unavailable(error.to_string())
    }
}
