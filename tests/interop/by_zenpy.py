"""Reads and writes a helpdesk at the address given, as anybody does with zenpy; fails where the helpdesk is not as zenpy expects."""

import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, Ticket
from zenpy.lib.exception import APIException, RecordNotFoundException

ADDRESS = sys.argv[1]


class Sent(HTTPAdapter):
    """Sends what is meant for zendesk.com to the address given."""

    def send(self, request, **how):
        meant, asked = request.url, urlsplit(request.url)
        request.url = ADDRESS + asked.path + ("?" + asked.query if asked.query else "")
        answer = super().send(request, **how)
        request.url = answer.url = meant  # By which it knows what was asked for.
        return answer


session = requests.Session()
session.trust_env = False
session.mount("https://", Sent())
zendesk = Zenpy(subdomain="stand-in", oauth_token="demo-token", session=session, disable_cache=True)

me = zendesk.users.me()
assert (me.id, me.role) == (9001, "agent"), me

ticket = zendesk.tickets(id=1)
assert ticket.subject == "Help" and "star_submitted" in ticket.tags and ticket.status == "open", ticket.to_dict()
assert ticket.requester.name == "Casey Customer", ticket.requester
assert ticket.priority is None and ticket.via.channel == "web", ticket.to_dict()

before = [comment.id for comment in zendesk.tickets.comments(ticket=1)]
assert len(before) == 150, len(before)

ticket.comment = Comment(body="Tom & Ann", public=False)
ticket.priority = "high"
ticket.tags = ticket.tags + ["by_zenpy"]
audit = zendesk.tickets.update(ticket)
assert audit.ticket.priority == "high" and "by_zenpy" in audit.ticket.tags, audit.ticket.to_dict()
assert any(event["type"] == "Comment" for event in audit.audit.events), audit.audit.events

after = list(zendesk.tickets.comments(ticket=1))
assert len(after) == 151, len(after)
newest = [comment for comment in after if comment.id not in before]
assert [(comment.plain_body, comment.public, comment.author_id) for comment in newest] == [("Tom &amp; Ann", False, 9001)]

assert "tagged" in zendesk.tickets.add_tags(1, ["tagged"])
assert "tagged" not in zendesk.tickets.delete_tags(1, ["tagged"]) if hasattr(zendesk.tickets, "delete_tags") else True

found = list(zendesk.search("type:ticket tags:star_submitted status<solved"))
assert [one.id for one in found] == [1], found

made = zendesk.tickets.create(Ticket(subject="Another", description="Please help.", tags=["made"]))
assert made.ticket.subject == "Another" and made.ticket.tags == ["made"], made.ticket.to_dict()
assert {one.id for one in zendesk.tickets()} == {1, made.ticket.id}
assert {9001, 5001, 7001} <= {user.id for user in zendesk.users()}
assert len(list(zendesk.tickets.audits(ticket=1))) >= 1

try:
    zendesk.tickets(id=404)
    raise AssertionError("a ticket that is not there")
except RecordNotFoundException:
    pass
ticket.status = "asleep"
try:
    zendesk.tickets.update(ticket)
    raise AssertionError("a status that is none")
except APIException as refused:
    assert refused.response.status_code == 422, refused
print("zenpy is content")
