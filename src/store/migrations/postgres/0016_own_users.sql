-- The helpdesk's users the bot is or was: what an earlier one wrote is the bot's own.
CREATE TABLE own_users (
    account TEXT   NOT NULL,
    user_id BIGINT NOT NULL,
    PRIMARY KEY (account, user_id)
);
