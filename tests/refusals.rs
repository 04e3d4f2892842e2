//! What the helpdesk refuses, limits or drops: why is told, whom it concerns, and what is done about it.

use axum::http::Method;
use chrono::Utc;
use serde_json::{Value, json};
use starwarden::demo::helpdesk::{BOT_ID, Publicity, TagsAre};
use starwarden::demo::troubles::Canned;
use starwarden::helpdesk::auth::{API_TOKENS_END, Purpose};
use starwarden::helpdesk::refusal::{self, About};
use starwarden::work::conditions;

use crate::support::{Desk, desk, event, serve, serve_in, ticket, tickets, wait_for};

/// Catches up every second.
const CATCH_UP: (&str, &str) = ("STARWARDEN__ACCOUNTS__GLOBAL__CATCH_UP_EVERY", "1s");

/// Tags that decide a ticket by themselves.
const DECIDED: [&str; 1] = ["purchased_wrong_product"];

/// An answer in the place of the stand-in's own.
fn canned(method: Method, path: &str, status: u16, headers: &[(&'static str, &str)], body: &Value) -> Canned {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Canned { method, path: path.into(), times: None, status, headers, body: body.to_string() }
}

#[test]
fn a_refusal_says_why_and_never_what_a_customer_wrote() {
    let suspended = json!({ "error": "RecordInvalid", "description": "Record validation errors",
        "details": { "requester": [{ "description": "Requester: Casey Secret is suspended.", "error": "UserSuspended" }] } });
    let scope = json!({ "error": "Forbidden", "description": "You are missing the following required scopes: read, webhooks:read" });
    let role = json!({ "error": { "title": "Forbidden", "message": "You do not have access to this page. Please contact the account owner of this help desk for further help." } });
    let trigger = json!({ "error": "RecordInvalid", "description": "Record validation errors",
        "details": { "base": [{ "description": "Category: is required" }] } });
    let secret = json!({ "error": "RecordInvalid", "description": "Secret words",
        "details": { "base": [{ "description": "Subject: Secret words cannot be blank" }] } });
    let comments = json!({ "error": "RecordInvalid", "details": { "base": [{ "description": "You have reached the limit of 5000 comments on this ticket" }] } });
    let listed = json!({ "errors": [{ "code": "InvalidEndpoint", "title": "Invalid endpoint", "detail": "endpoint must use https" }] });
    for (body, about, why) in [
        (&suspended, About::Customers, "RecordInvalid: requester: UserSuspended: Record validation errors"),
        (&trigger, About::Ourselves, "RecordInvalid: base: Category: is required: Record validation errors"),
        (&trigger, About::Customers, "RecordInvalid: base: Category: is required: Record validation errors"),
        (&secret, About::Customers, "RecordInvalid: base"),
        (&comments, About::Customers, "RecordInvalid: base: the ticket has as many comments as the helpdesk allows"),
        (&listed, About::Ourselves, "InvalidEndpoint, Invalid endpoint, endpoint must use https"),
        (
            &json!({ "error": "invalid_scope", "error_description": "The requested scope is unknown" }),
            About::Ourselves,
            "invalid_scope: The requested scope is unknown",
        ),
        (&json!({ "error": { "title": "Bad", "message": "Secret" } }), About::Customers, "Bad"),
    ] {
        let read = refusal::of(body.to_string().as_bytes(), about);
        assert_eq!(read.why.as_deref(), Some(why), "{body}");
        assert!(read.scopes.is_empty() && !read.role, "{body}");
    }
    assert_eq!(refusal::of(scope.to_string().as_bytes(), About::Customers).scopes, ["read", "webhooks:read"]);
    assert!(refusal::of(role.to_string().as_bytes(), About::Customers).role);
    let closed = json!({ "details": { "status": [{ "description": "Status closed prevents ticket update" }] } });
    assert!(refusal::of(closed.to_string().as_bytes(), About::Customers).closed);
    assert_eq!(
        refusal::of(b"<html>Secret</html>", About::Customers).why.as_deref(),
        Some("an HTML page instead of a reason")
    );
    for nothing in ["", "null", "[]", "{}", "{\"error\":7}", "\"x\""] {
        assert_eq!(refusal::of(nothing.as_bytes(), About::Customers).why, None, "{nothing}");
    }
}

#[test]
fn why_a_write_was_refused_stands_with_the_ticket() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\ntries = 1");
    let invalid = json!({ "error": "RecordInvalid", "description": "Record validation errors",
        "details": { "requester": [{ "description": "Requester: Casey Secret is suspended.", "error": "UserSuspended" }] } });
    let scope =
        json!({ "error": "Forbidden", "description": "You are missing the following required scopes: tickets:write" });
    for (id, status, body, says) in
        [(1, 422, &invalid, "requester: UserSuspended"), (2, 403, &scope, "the scope tickets:write")]
    {
        desk.helpdesk.add(ticket(id, &DECIDED));
        desk.helpdesk.answer_with(canned(Method::PUT, &format!("/api/v2/tickets/{id}"), status, &[], body));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        let error = wait_for("a dead letter", || bot.kept(id)["watch"]["error"].as_str().map(str::to_owned));
        assert!(error.contains(says) && !error.contains("Casey"), "{error}");
    }
}

#[test]
fn a_limit_of_one_ticket_or_one_kind_of_call_holds_that_alone() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let limit = [("retry-after", "468"), ("zendesk-ratelimit-per-ticket-updates", "total=30; remaining=0; resets=468")];
    let too_many = json!({ "error": "TooManyRequests" });
    desk.helpdesk.answer_with(canned(Method::PUT, "/api/v2/tickets/1", 429, &limit, &too_many));
    desk.helpdesk.answer_with(canned(Method::GET, "/api/v2/search/export", 429, &[("retry-after", "300")], &too_many));
    let bot = serve_in(&desk, folder.path(), "", &[CATCH_UP]);
    desk.helpdesk.add(ticket(1, &DECIDED));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    wait_for("a refused write", || (desk.helpdesk.writes() > 0).then_some(()));
    for id in 2..=4 {
        desk.helpdesk.add(ticket(id, &DECIDED));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(&desk, id, 1);
    }
    let later = bot.kept(1)["watch"]["at"].as_str().and_then(|at| at.parse::<chrono::DateTime<Utc>>().ok());
    assert!(later.is_some_and(|at| at > Utc::now() + chrono::TimeDelta::seconds(300)), "{}", bot.kept(1));
    assert_eq!(desk.helpdesk.notes(1).len(), 0);
    let searches = desk.helpdesk.calls().iter().filter(|call| call.path.contains("/search")).count();
    assert_eq!(searches, 1, "and the search is not asked again before its time");
}

#[test]
fn a_hold_of_the_whole_account_is_told_with_its_end() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
    desk.helpdesk.add(ticket(1, &DECIDED));
    let too_many = json!({ "error": "TooManyRequests" });
    let headers = [("retry-after", "300"), ("x-rate-limit-remaining", "0")];
    desk.helpdesk.answer_with(canned(Method::GET, "/api/v2/tickets/1", 429, &headers, &too_many));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    wait_for("a warning", || {
        let (status, said) = bot.get("/readyz");
        (status == 200 && said["warning"].as_str()?.contains("global: the helpdesk wants no calls until 20"))
            .then_some(())
    });
    let (_, listed) = tickets(folder.path(), &["list"]);
    assert!(listed.contains("global: the helpdesk wants no calls until 20"), "{listed}");
}

#[test]
fn on_a_busy_account_one_ticket_after_the_other_is_brought_to_its_end() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.tell_left(20, 700);
    for id in 1..=2 {
        desk.helpdesk.add(ticket(id, &DECIDED));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    for id in 1..=2 {
        bot.notes(&desk, id, 1);
    }
}

fn tags(desk: &Desk, id: u64) -> Vec<String> {
    desk.helpdesk.reading(id).expect("the ticket").ticket.tags
}

#[test]
fn tags_that_are_not_taken_are_asked_for_again_and_then_told_for_good() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.tags_are(TagsAre::LeftOut);
    desk.helpdesk.add(ticket(1, &DECIDED));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let why = wait_for("what is told", || bot.kept(1)["last_error"].as_str().map(str::to_owned));
    assert!(why.contains("does not take the tag star_wait_for_sales"), "{why}");
    assert_eq!((desk.helpdesk.writes(), desk.helpdesk.notes(1).len()), (3, 1), "asked three times, said once");
    assert!(bot.text("/metrics").contains("starwarden_tags_not_taken_total{account=\"global\"} 3"));
}

#[test]
fn a_tag_that_is_lost_is_put_back_once_and_then_whoever_takes_it_off_is_left_in_peace() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &DECIDED));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    bot.at_rest(&desk, 1);
    for (round, there) in [("first", true), ("second", false), ("third", false)] {
        desk.helpdesk.change(1, |reading| reading.ticket.tags.retain(|tag| tag != "star_wait_for_sales"));
        bot.deliver(&event(round, 1, "tags_changed"), &[]);
        bot.at_rest(&desk, 1);
        assert_eq!(tags(&desk, 1).contains(&"star_wait_for_sales".to_owned()), there, "{round}");
    }
    assert_eq!(desk.helpdesk.notes(1).len(), 1, "it is said once");
}

#[test]
fn catch_up_works_with_the_scopes_that_the_bot_asks_for() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &DECIDED));
    let bot = serve_in(&desk, folder.path(), "", &[CATCH_UP]);
    bot.notes(&desk, 1, 1);
    assert!(!bot.text("/metrics").contains("starwarden_catch_up_failing{account=\"global\"} 1"));
}

#[test]
fn a_catch_up_that_fails_is_told_with_the_scope_that_is_missing() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.allow_scopes("tickets:read tickets:write users:read organizations:read");
    let bot = serve_in(&desk, folder.path(), "", &[CATCH_UP]);
    wait_for("a warning", || {
        let (_, said) = bot.get("/readyz");
        let warning = said["warning"].as_str()?;
        (warning.contains("global: catch-up fails") && warning.contains("the token lacks the scope read")).then_some(())
    });
    assert!(bot.text("/metrics").contains("starwarden_catch_up_failing{account=\"global\"} 1"));
    desk.helpdesk.add(ticket(1, &DECIDED));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
}

#[test]
fn a_starred_ticket_that_no_delivery_told_of_is_an_alarm() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &DECIDED)); // From before the bot ran: nobody could tell of it.
    let bot = serve_in(&desk, folder.path(), "", &[CATCH_UP]);
    bot.notes(&desk, 1, 1);
    for id in [2, 3] {
        desk.helpdesk.add(ticket(id, &DECIDED));
        desk.helpdesk.touch(id, 0);
    }
    bot.deliver(&event("e2", 2, "tags_changed"), &[]);
    bot.notes(&desk, 3, 1);
    let warning = wait_for("a warning", || bot.get("/readyz").1["warning"].as_str().map(str::to_owned));
    assert!(warning.contains("found 1 starred ticket that no delivery told of, global/3 last"), "{warning}");
    assert!(bot.text("/metrics").contains("starwarden_untold_total{account=\"global\"} 1"));
}

#[test]
fn an_api_token_is_counted_down_to_its_end() {
    for (now, says) in [
        ("2026-11-26T12:00:00Z", "ends in 155 days, on 2027-04-30"),
        ("2027-04-29T12:00:00Z", "ends tomorrow"),
        ("2027-04-30T12:00:00Z", "ends today"),
        ("2027-05-01T12:00:00Z", "ended on 2027-04-30"),
    ] {
        let said = conditions::token_ends(API_TOKENS_END, now.parse().expect("an instant"));
        assert!(said.contains(says), "{said}");
    }
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot =
        serve(&desk, folder.path(), "[accounts.global.auth]\nemail = \"star@example.com\"\napi_token = \"demo\"\n");
    let (_, said) = bot.get("/readyz");
    assert!(said["warning"].as_str().is_some_and(|warning| warning.contains("its API token end")), "{said}");
    assert!(bot.text("/metrics").contains("starwarden_api_token_days_left{account=\"global\"}"));
}

#[test]
fn scopes_are_those_of_the_configuration_with_what_a_command_needs_besides() {
    for (purpose, scopes) in [
        (Purpose::Work, "read tickets:write"),
        (Purpose::Look, "read tickets:write webhooks:read triggers:read"),
        (Purpose::Setup, "read tickets:write webhooks:read webhooks:write triggers:read triggers:write"),
    ] {
        assert_eq!(purpose.scopes("read tickets:write"), scopes);
    }
}

#[test]
fn a_page_that_is_too_large_is_read_in_pieces() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\nanswer_within = \"60s\"\nlease = \"5m\"");
    desk.helpdesk.add(ticket(1, &[]));
    desk.helpdesk.say_as_given(1, json!({ "author_id": 7001, "body": "x".repeat(6 << 20), "public": false }));
    desk.helpdesk.say(1, 7001, "star: request=plan_license, trial=no, expires_at=2020-01-01", Publicity::Internal);
    desk.helpdesk.touch(1, 60);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    assert!(bot.notes(&desk, 1, 1)[0].starts_with("OK to STAR"));
}

#[test]
fn a_helpdesk_that_links_to_itself_by_another_name_is_the_same() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.is_named("support.example.com");
    desk.helpdesk.add(ticket(1, &[]));
    desk.helpdesk.say(1, 7001, "star: request=plan_license, trial=no, expires_at=2020-01-01", Publicity::Internal);
    for number in 0..150 {
        desk.helpdesk.say(1, 7001, &format!("internal {number}"), Publicity::Internal);
    }
    desk.helpdesk.touch(1, 60);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    assert!(bot.notes(&desk, 1, 1)[0].starts_with("OK to STAR"), "the second page is read");
}

#[test]
fn a_merge_at_the_helpdesk_moves_no_command() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    for id in [1, 77] {
        desk.helpdesk.add(ticket(id, &[]));
    }
    desk.helpdesk.say(77, 7001, "star: trial=no, expires_at=2031-06-01, in_grace=no", Publicity::Internal);
    desk.helpdesk.merge(77, 1, 7001);
    desk.helpdesk.touch(1, 60);
    bot.deliver(&event("e1", 1, "merged"), &[]);
    assert!(
        bot.notes(&desk, 1, 1)[0].starts_with("When does the plan or licence expire?"),
        "{:?}",
        desk.helpdesk.notes(1)
    );
    let own =
        desk.helpdesk.reading(1).expect("the ticket").comments.iter().filter(|it| it.author_id == Some(BOT_ID)).count();
    assert_eq!(own, 1);
}
