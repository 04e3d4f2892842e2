// Reads and writes a helpdesk at the address given, as anybody does with node-zendesk.

const assert = require('node:assert');
const [address, library] = process.argv.slice(2);
const { createClient } = require(library);

const client = createClient({ username: 'star@example.com', token: 'demo', endpointUri: `${address}/api/v2` });
const read = async (call) => {
  const answer = await call;
  return answer.result ?? answer;
};

(async () => {
  const me = await read(client.users.me());
  assert.strictEqual((me.user ?? me).id, 9001);

  const shown = await read(client.tickets.show(1));
  const ticket = shown.ticket ?? shown;
  assert.strictEqual(ticket.status, 'open');
  assert.ok(ticket.tags.includes('star_submitted'));

  const updated = await read(
    client.tickets.update(1, { ticket: { comment: { body: 'by node-zendesk', public: false }, priority: 'low' } }),
  );
  assert.strictEqual((updated.ticket ?? updated).priority, 'low');

  const comments = await read(client.tickets.getComments(1));
  const bodies = (comments.comments ?? comments).map((comment) => comment.body);
  assert.ok(bodies.includes('by node-zendesk'), JSON.stringify(bodies.slice(-3)));

  const made = await read(client.tickets.create({ ticket: { subject: 'Another', comment: { body: 'Please help.' } } }));
  assert.strictEqual((made.ticket ?? made).subject, 'Another');

  const all = await read(client.tickets.list());
  assert.ok((all.tickets ?? all).length >= 2);

  const found = await read(client.search.query('type:ticket tags:star_submitted'));
  assert.strictEqual((found.results ?? found)[0].id, 1);

  await assert.rejects(read(client.tickets.show(404)), (error) => error.statusCode === 404 || /404/.test(String(error)));
  console.log('node-zendesk is content');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
