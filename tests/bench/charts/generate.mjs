// Prints charts of our own making, the same for the same seed: sound ones as handbooks draw them, and damaged ones.
//
//     node tests/bench/charts/generate.mjs 7 150 110 > target/generated.ndjson     (seed, sound ones, damaged ones)
//
// They stand in tests/cases/charts.ndjson before those written by hand; read.mjs writes Mermaid's reading beside each.

const [seed = 7, sound = 150, damaged = 110] = process.argv.slice(2).map(Number);

let state = seed >>> 0;
/** A number of 0 to below `below` (mulberry32). */
function below(below) {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}
const pick = (list) => list[below(list.length)];
const chance = (percent) => below(100) < percent;
const shuffled = (list) => list.map((item) => [below(1 << 30), item]).sort(([one], [other]) => one - other).map(([, item]) => item);
const times = (count, make) => Array.from({ length: count }, (_, at) => make(at));

const QUESTIONS = [
    "Is the parcel late?", "Has the meter been read?", "Did the badge open the door?", "Is it within 14 days?", "Paid by card?",
    "Is the customer a club member?", "More than 30 kg?", "Does the boiler start?", "Ist die Frist vorbei?", "Le client est-il absent ?",
    "Was the order split in two?", "Is a spare key at the desk?", "Over 250 EUR?", "Allergies noted?", "荷物は届いたか",
];
const DEEDS = [
    "Send a courier", "Refund the fare", "Ask the night shift", "Print a new label", "Close the request", "Book a visit", "Nothing to do",
    "Escalate to the depot", "Wait 2 days", "Tell the caller", "Log it & carry on", "Rückruf vereinbaren", "Call +00 555 0199", "Done ✅",
    "Read page 7, then decide", "Hand over: second line", "50% off", "Check A/B stock", "Über Nacht prüfen", "Ask again… later",
];
const QUOTED = [
    "Weight (with box) > 30 kg?", "Call #quot;front desk#quot;", "First<br>second", "First<br/>second line", "a [b] c", "Mail desk@example.org",
    "5 &lt; 7 &amp; 7 &gt; 5", "Ends; begins", "`**Is** it _really_ late?`", "`Plain Markdown`", "100 % — sure…", "🚲 or 🚗?", "tag #35; and #9829;",
    "{curly}", "x --> y", "end", "<b>Stop</b> here", "   wide   blanks ", "two\nlines", "back\\nslash",
];
const LABELS = ["Yes", "No", "yes", "no", "Maybe", "Else", "Ja", "non", "After 2 days", "below 5", "n/a", "50%", "card, cash", "はい", "it's so", "end of day"];
const QUOTED_LABELS = ["Yes (sure)", "a | b", "No#59; never", "`**Yes**`", "yes<br>really", "> 5", "{x}"];
const SHAPES = [
    "[]", "[]", "[]", "{}", "{}", "()", "([])", "[[]]", "[()]", "(())", "{{}}", ">]", "[//]", "[\\\\]", "[/\\]", "[\\/]", "((()))",
].map((pair) => pair === ">]" ? [">", "]"] : [pair.slice(0, pair.length / 2), pair.slice(pair.length / 2)]);
const NEW_SHAPES = ["rect", "diam", "diamond", "rounded", "stadium", "doc", "docs", "hex", "cyl", "circle", "delay", "lin-rect", "trap-b", "notch-rect", "odd"];
const IDS = [
    ...times(26, (at) => String.fromCharCode(65 + at)), "start", "late_parcel", "step-2", "q1", "Q2a", "n.1", "endpoint", "default2", "graphite", "classy",
    "styled", "x1", "o1", "Ärger", "ende", "subgraphs", "1st", "42", "to", "END", "clicks", "部",
];
const ARROWS = ["-->", "-->", "-->", "-->", "---", "-.->", "==>", "--o", "--x", "<-->", "--->", "---->", "-..->", "===>", "-.-", "===", "o--o", "x--x", "<==>", "~~~"];
const SPOKEN = [["--", "-->"], ["--", "--->"], ["-.", ".->"], ["==", "==>"], ["--", "---"], ["-.", ".-"], ["==", "==="], ["--", "--x"], ["--", "--o"]];

function label(shaped) {
    if (chance(20)) return `"${pick(QUOTED)}"`;
    if (chance(8)) return `"${pick([...QUESTIONS, ...DEEDS])}"`;
    return pick(shaped === "{" ? QUESTIONS : DEEDS);
}

/** A node as it stands at its first mention. */
function defined(id) {
    if (chance(22)) return id;
    if (chance(8)) return `${id}@{ shape: ${pick(NEW_SHAPES)}, label: "${pick(DEEDS)}" }`;
    const [open, close] = pick(SHAPES);
    return `${id}${open}${label(open)}${close}${chance(8) ? `:::${pick(["loud", "calm"])}` : ""}`;
}

function arrow() {
    if (chance(45)) return `${pick(ARROWS)}|${chance(15) ? `"${pick(QUOTED_LABELS)}"` : pick(LABELS)}|`.replace(/^~~~.*/, "~~~");
    if (chance(25)) {
        const [open, close] = pick(SPOKEN);
        return `${open} ${pick(LABELS)} ${close}`;
    }
    return pick(ARROWS);
}

function chart() {
    const pool = shuffled(IDS).slice(0, 6 + below(9));
    const seen = new Set();
    let left = [];
    const node = () => {
        const id = left.pop() ?? pick(pool);
        if (seen.has(id)) return id;
        seen.add(id);
        return defined(id);
    };
    const several = () => times(chance(10) ? 2 : 1, node).join(" & ");
    const gap = chance(75) ? " " : "";
    const link = () => {
        left = shuffled(pool).slice(-6); // No link from a node to itself: of those, Mermaid draws one a node.
        const made = `${several()}${chance(90) ? " " : gap}${arrow()}${gap || " "}${several()}${chance(15) ? ` ${arrow()} ${several()}` : ""}`;
        left = [];
        return made;
    };
    const statement = () => (chance(12) ? node() : link()) + (chance(8) ? ";" : "") + (chance(6) ? "   " : "") + (chance(4) ? `; ${link()}` : "");
    const body = [];
    for (let lines = 2 + below(9); lines > 0; lines--) {
        if (chance(8)) {
            const title = pick(["g1", "g2 [Night shift]", "The desk", "\"In the depot\"", "g3[\"Depot (north)\"]"]);
            body.push(`subgraph ${title}`, ...(chance(30) ? ["direction LR"] : []), ...times(1 + below(3), () => `  ${statement()}`), "end");
        } else {
            body.push(statement());
        }
        if (chance(8)) body.push(pick(["%% checked in spring", "%% A --> B", "  %%no blank", ""]));
    }
    const known = [...seen].filter((id) => /^[A-Za-z]\w*$/.test(id));
    if (chance(25)) body.push("classDef loud fill:#f96,stroke:#333,stroke-width:2px", `class ${pick(known.length ? known : ["A"])} loud`);
    if (known.length && chance(12)) body.push(`style ${pick(known)} fill:#bbf,stroke-dasharray: 5 5`);
    if (chance(8)) body.push("linkStyle 0 stroke:#f00");
    if (known.length && chance(8)) body.push(`click ${pick(known)} "https://help.example.org/page" "More" _blank`);
    const header = `${pick(["graph", "flowchart", "flowchart"])} ${pick(["TD", "TD", "TB", "LR", "RL", "BT"])}${chance(6) ? ";" : ""}`;
    const before = [...(chance(6) ? ["---", "title: Desk rule", "---"] : []), ...(chance(6) ? ["%%{init: {'theme': 'neutral'}}%%"] : []), ...(chance(4) ? ["%% draft"] : [])];
    const indent = pick(["", "    ", "  ", "\t"]);
    return [...before, header, ...body.map((line) => `${indent}${line}`)].join(chance(6) ? "\r\n" : "\n") + pick(["", "\n", "\n\n  \n"]);
}

/** A chart with one or two slips of the keyboard in it. */
function slipped(text) {
    const characters = [...text];
    const body = characters.indexOf("\n") + 1;
    for (let slips = 1 + below(2); slips > 0; slips--) {
        const piece = pick(["", "[", "]", "(", ")", "{", "}", "\"", "|", "-", ">", "<", "=", "&", ";", ":", "#", "@", "%%", "`", "\\", "\n", " ", "end", "\u0007", "é", "-->", "."]);
        characters.splice(body + below(characters.length - body), piece && chance(50) ? 0 : 1 + below(2), piece);
    }
    return characters.join("");
}

const made = new Set();
const print = (kind, count, make) => {
    for (let number = 1; number <= count; ) {
        const text = make();
        if (made.has(text)) continue;
        made.add(text);
        console.log(JSON.stringify({ name: `${kind} ${number++}`, chart: text }));
    }
};
print("drawn", sound, chart);
print("damaged", damaged, () => slipped(chart()));
