//! Answers of the stand-in helpdesk in the full shape of the API: every key that the real one gives, with its nulls.
//!
//! Follows <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/> and its pages on comments, users and
//! organisations.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::decide::text;
use crate::decide::ticket::{Comment, Organization, Role, Ticket, User};

/// How the stand-in names itself in its answers.
pub(super) const AT: &str = "https://stand-in.zendesk.com";

/// A ticket, with what was set besides.
pub(super) fn ticket(ticket: &Ticket, besides: &Map<String, Json>) -> Json {
    let id = ticket.id;
    let mut whole = over(
        json!({
            "url": format!("{AT}/api/v2/tickets/{id}.json"), "id": id, "external_id": null, "created_at": null, "updated_at": null,
            "generated_timestamp": ticket.updated_at.map(|at| at.timestamp()),
            "via": { "channel": "web", "source": { "from": {}, "to": {}, "rel": null } },
            "type": null, "subject": "", "raw_subject": ticket.subject, "description": "", "priority": null, "status": "open",
            "recipient": null, "requester_id": null, "submitter_id": ticket.requester_id, "assignee_id": null,
            "organization_id": null, "group_id": null, "collaborator_ids": [], "follower_ids": [], "email_cc_ids": [],
            "forum_topic_id": null, "problem_id": null, "has_incidents": false, "is_public": true, "due_at": null, "tags": [],
            "custom_fields": [], "satisfaction_rating": { "score": "unoffered" }, "sharing_agreement_ids": [],
            "custom_status_id": 1001, "fields": [], "followup_ids": [], "ticket_form_id": null, "brand_id": 2001,
            "allow_channelback": false, "allow_attachments": true, "from_messaging_channel": false,
        }),
        ticket,
    );
    if let Some(members) = whole.as_object_mut() {
        let fields = members.get("custom_fields").cloned().unwrap_or_default();
        members.insert("fields".into(), fields);
        members.extend(besides.clone());
    }
    whole
}

/// A comment; `given` are keys that are given just so.
pub(super) fn comment(comment: &Comment, given: Option<&Json>) -> Json {
    let text = comment.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = format!("<div class=\"zd-comment\" dir=\"auto\">{}<br></div>", text.replace('\n', "<br>"));
    let whole = over(
        json!({
            "id": comment.id, "type": "Comment", "author_id": null, "body": "", "html_body": html, "plain_body": "",
            "public": false, "attachments": [], "audit_id": comment.id + 1,
            "via": { "channel": "web", "source": { "from": {}, "to": {}, "rel": null } }, "created_at": null,
            "metadata": { "system": { "client": "stand-in", "ip_address": "127.0.0.1", "location": null }, "custom": {} },
        }),
        comment,
    );
    let plain = comment.html_body.as_deref().map(text::without_markup);
    let whole = match plain {
        Some(plain) => over(whole, json!({ "body": plain, "plain_body": plain })),
        None => whole,
    };
    match given {
        Some(given) => over(whole, given),
        None => whole,
    }
}

/// A user.
pub(super) fn user(user: &User) -> Json {
    let (id, role) = (user.id, user.role);
    over(
        json!({
            "id": id, "url": format!("{AT}/api/v2/users/{id}.json"), "name": "", "email": format!("user-{id}@example.com"),
            "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "time_zone": "UTC",
            "iana_time_zone": "Etc/UTC", "phone": null, "shared_phone_number": null, "photo": null, "locale_id": 1,
            "locale": "en-US", "organization_id": null, "role": role, "verified": true, "external_id": null, "tags": [],
            "alias": "", "active": true, "shared": false, "shared_agent": false, "last_login_at": null,
            "two_factor_auth_enabled": null, "signature": null, "details": "", "notes": "",
            "role_type": if role == Role::EndUser { Json::Null } else { json!(4) }, "custom_role_id": null,
            "moderator": role != Role::EndUser, "ticket_restriction": if role == Role::EndUser { json!("requested") } else { Json::Null },
            "only_private_comments": false, "restricted_agent": false, "suspended": false, "default_group_id": null,
            "report_csv": false, "user_fields": {},
        }),
        user,
    )
}

/// An organisation.
pub(super) fn organization(organization: &Organization) -> Json {
    let id = organization.id;
    over(
        json!({
            "url": format!("{AT}/api/v2/organizations/{id}.json"), "id": id, "name": "", "shared_tickets": false,
            "shared_comments": false, "external_id": null, "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z", "domain_names": [], "details": null, "notes": null, "group_id": null,
            "tags": [], "organization_fields": {},
        }),
        organization,
    )
}

/// One object's keys, and over them another's.
pub(super) fn over(under: Json, over: impl Serialize) -> Json {
    let (Json::Object(mut keys), Ok(Json::Object(more))) = (under, serde_json::to_value(over)) else {
        return Json::Null;
    };
    keys.extend(more);
    Json::Object(keys)
}
