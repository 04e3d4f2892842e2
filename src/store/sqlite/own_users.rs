//! The statements of [`crate::store::own_users`].

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::Sqlite;
use crate::decide::ticket::OwnUsers;
use crate::store::StoreError;
use crate::store::own_users::KnownUsers;
use crate::store::values::{Outcome, number, ticket_number};

#[async_trait]
impl KnownUsers for Sqlite {
    async fn known_as(&self, account: &str, user: u64) -> Result<OwnUsers, StoreError> {
        let account = account.to_owned();
        self.writer.run(move |connection| known_as(connection, &account, user)).await
    }
}

fn known_as(connection: &Connection, account: &str, user: u64) -> Outcome<OwnUsers> {
    connection
        .prepare_cached("INSERT INTO own_users (account, user_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![account, number(user)?])?;
    let mut users = connection.prepare_cached("SELECT user_id FROM own_users WHERE account = ?1")?;
    let mut rows = users.query([account])?;
    let mut own = OwnUsers::default();
    while let Some(row) = rows.next()? {
        own.add(ticket_number(row.get(0)?)?);
    }
    Ok(own)
}
