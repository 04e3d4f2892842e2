//! The statements of [`crate::store::own_users`].

use async_trait::async_trait;

use super::Postgres;
use super::values::column;
use crate::decide::ticket::OwnUsers;
use crate::store::StoreError;
use crate::store::own_users::KnownUsers;
use crate::store::values::{number, ticket_number};

#[async_trait]
impl KnownUsers for Postgres {
    async fn known_as(&self, account: &str, user: u64) -> Result<OwnUsers, StoreError> {
        let client = self.connection().await?;
        let insert = "INSERT INTO own_users (account, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        client.execute(insert, &[&account, &number(user)?]).await?;
        let mut own = OwnUsers::default();
        for row in client.query("SELECT user_id FROM own_users WHERE account = $1", &[&account]).await? {
            own.add(ticket_number(column(&row, 0)?)?);
        }
        Ok(own)
    }
}
