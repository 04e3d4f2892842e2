// Writes beside each chart of tests/cases/charts.ndjson what Mermaid reads in it and draws of it.
//
//     npm install --prefix target/charts --no-save --ignore-scripts mermaid@11.17.2 && node tests/bench/charts/read.mjs
//
// Needs node 20 and chromium. A line of the file is {name, chart, mermaid}; `mermaid` is written anew: {refused} with the
// first line of Mermaid's message, or {nodes: [[id, text]], links: [[from, to, label, arrow]], groups: [id]} in its order.
// Texts are those of the picture, white space in one piece; null where none is drawn. With `--check` nothing is written, and a difference is exit
// code 1. Another file can be named.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "11.17.2";
const root = fileURLToPath(new URL("../../../", import.meta.url));
const library = join(root, "target/charts/node_modules/mermaid");
const file = process.argv.slice(2).find((word) => !word.startsWith("--")) ?? join(root, "tests/cases/charts.ndjson");

const { version } = JSON.parse(readFileSync(join(library, "package.json"), "utf8"));
if (version !== VERSION) throw new Error(`mermaid ${version} is installed, and ${VERSION} is the referee`);

/** Runs in the browser: what Mermaid makes of each chart. */
async function readings(charts) {
    mermaid.initialize({ startOnLoad: false, suppressErrorRendering: true });
    const read = async (chart, number) => {
        const diagram = await mermaid.mermaidAPI.getDiagramFromText(chart);
        if (!diagram.type.startsWith("flowchart")) return { refused: `no flowchart: ${diagram.type}` };
        const nodes = [...diagram.db.getVertices().values()];
        const groups = diagram.db.getSubGraphs().map((group) => group.id);
        const { svg } = await mermaid.render(`chart${number}`, chart);
        document.body.innerHTML = svg;
        const drawn = (selector) => document.querySelector(`${selector} foreignObject > div`)?.innerText.replace(/\s+/g, " ").trim();
        const text = ({ domId }) => drawn(`:is([id=${CSS.escape(domId)}], [id=${CSS.escape(`chart${number}-${domId}`)}])`);
        const label = ({ id }) => drawn(`.edgeLabel [data-id=${CSS.escape(id)}]`) || null;
        return {
            nodes: nodes.filter(({ id }) => !groups.includes(id)).map((node) => [node.id, text(node) ?? null]),
            links: diagram.db.getEdges().map((edge) => [edge.start, edge.end, label(edge), `${edge.stroke} ${edge.type}`]),
            groups,
        };
    };
    const all = [];
    for (const [number, chart] of charts.entries()) {
        all.push(await read(chart, number).catch((error) => ({ refused: `${error?.message ?? error}`.split("\n")[0] })));
    }
    return all;
}

const lines = readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const page = `<!doctype html><meta charset="utf-8"><body><script src="/mermaid.js"></script><script type="module">
    ${readings}
    const charts = await (await fetch("/charts")).json();
    await fetch("/readings", { method: "POST", body: JSON.stringify(await readings(charts)) });
</script>`;

const found = await new Promise((resolve) => {
    const profile = mkdtempSync(join(tmpdir(), "charts-"));
    let browser;
    const server = createServer((request, response) => {
        const answer = (kind, body) => response.writeHead(200, { "content-type": kind }).end(body);
        if (request.url === "/mermaid.js") return answer("text/javascript", readFileSync(join(library, "dist/mermaid.min.js")));
        if (request.url === "/charts") return answer("application/json", JSON.stringify(lines.map((line) => line.chart)));
        if (request.url !== "/readings") return answer("text/html", page);
        const parts = [];
        request.on("data", (part) => parts.push(part)).on("end", () => {
            answer("text/plain", "");
            browser.once("exit", () => rmSync(profile, { recursive: true, force: true, maxRetries: 3 }));
            browser.kill();
            server.close();
            server.closeAllConnections();
            resolve(JSON.parse(Buffer.concat(parts).toString()));
        });
    });
    server.listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${server.address().port}/`;
        browser = spawn("chromium", ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, url], { stdio: "ignore" });
    });
});

const differing = lines.filter((line, at) => JSON.stringify(line.mermaid) !== JSON.stringify(found[at]));
const refused = found.filter((reading) => "refused" in reading).length;
console.log(`${found.length} charts: ${found.length - refused} read, ${refused} refused; ${differing.length} other than in the file`);
if (process.argv.includes("--check")) {
    for (const { name } of differing) console.log(name);
    process.exitCode = differing.length ? 1 : 0;
} else {
    writeFileSync(file, lines.map((line, at) => `${JSON.stringify({ name: line.name, chart: line.chart, mermaid: found[at] })}\n`).join(""));
}
