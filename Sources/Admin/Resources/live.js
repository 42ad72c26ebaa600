"use strict";

const WINDOW = 300;            // seconds that the charts show
const MOST_SAMPLES = 700;      // that each chart keeps: a little more than the window at the shortest interval
const BIN = 5;                 // seconds that one bar of rejections covers
const MOST_ROUTES = 40;        // that are drawn
const FEW_SLOW = 8, MOST_PAUSES = 600, LISTED_PAUSES = 12;
const STALE = 5000;            // milliseconds without a snapshot until the connection counts as lost
const SVG = "http://www.w3.org/2000/svg";

const $ = id => document.getElementById(id);
const make = (name, text) => { const node = document.createElement(name); if (text !== undefined) node.textContent = text; return node; };
const clone = id => $(id).content.cloneNode(true);
/** Sets the text if it differs: unchanged nodes are not touched, and not read out by screen readers. */
const put = (node, text) => { text = String(text); if (node.textContent !== text) node.textContent = text; };
const show = (node, isShown) => { if (node.hidden === isShown) node.hidden = !isShown; };

// ---- Words and numbers

const group = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
function count(n) {
  if (n >= 1e6) return (n / 1e6).toFixed(n < 1e7 ? 2 : 1) + "M";
  if (n >= 1e5) return (n / 1e3).toFixed(0) + "k";
  return group.format(n);
}
const counted = (n, one) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;
const rate = n => n > 0 && n < 10 ? n.toFixed(1) : count(n);
function bytes(n) {
  let unit = 0;
  while (n >= 1024 && unit < 4) { n /= 1024; unit += 1; }
  return (unit && n < 100 ? n.toFixed(1) : group.format(n)) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][unit];
}
function span(s) {
  if (s < 10) return s.toFixed(1) + " s";
  if (s < 60) return Math.floor(s) + " s";
  const m = Math.floor(s / 60), h = Math.floor(m / 60), two = n => String(n).padStart(2, "0");
  if (m < 60) return m + " min " + two(Math.floor(s % 60)) + " s";
  return h < 48 ? h + " h " + two(m % 60) + " min" : Math.floor(h / 24) + " d " + h % 24 + " h";
}
const milliseconds = s => s < 1 ? (1000 * s).toFixed(s < .01 ? 1 : 0) + " ms" : span(s);
const share = x => (100 * x).toFixed(x < .0995 && x > 0 ? 1 : 0) + " %";
/** Counts by name, the highest first: `slow-consumer 9 · gone 1`. */
const list = counts => [...counts].sort((a, b) => b[1] - a[1]).map(([name, n]) => name + " " + count(n)).join(" · ");
const STATES = {
  ready: ["s-dot", "is-good", "Ready"], draining: ["s-half", "is-warm", "Draining"], lost: ["s-cross", "is-bad", "Connection lost"],
  connecting: ["s-ring", "", "Connecting"], locked: ["s-held", "is-warm", "Token needed"], ended: ["s-cross", "", "ended"],
  flowing: ["s-flowing", "is-good"], paused: ["s-paused", "is-water"], slow: ["s-slow", "is-bad"], held: ["s-held", "is-warm"],
  detached: ["s-away", "is-warm"], pending: ["s-ring", ""], waiting: ["s-ring", ""],
  open: ["s-open", "is-bad"], "half-open": ["s-half", "is-warm"],
  degraded: ["s-half", "is-warm", "Degraded"], unhealthy: ["s-cross", "is-bad", "Unhealthy"],
  up: ["s-dot", "is-good"], down: ["s-cross", "is-bad"], ejected: ["s-open", "is-bad"], drained: ["s-held", "is-warm"],
};
/** Shows a state as a word, with its own shape in addition to its colour. */
function chip(node, state) {
  const [shape, look, word] = STATES[state] || ["s-ring", "", state];
  const use = node.querySelector("use");
  if (use.getAttribute("href") !== "#" + shape) use.setAttribute("href", "#" + shape);
  const wanted = "chip " + look;
  if (node.className !== wanted) node.className = wanted;
  put(node.querySelector("b"), word || state);
}

// ---- History: the snapshots of the last minutes, those from before the page was opened included

class History {
  samples = [];
  add(sample) {
    const last = this.samples[this.samples.length - 1];
    if (last && sample.at <= last.at) this.samples = [];  // the clock was set back
    this.samples.push(sample);
    while (this.samples.length > MOST_SAMPLES || this.samples[0].at < sample.at - WINDOW - 10) this.samples.shift();
  }
  /** The time that the samples cover, in seconds. */
  span(now) { const samples = this.within(now); return samples.length ? now - samples[0].at : 0; }
  within(now) { return this.samples.filter(sample => sample.at >= now - WINDOW); }
}
let history = new Map(), all = new History(), previous = null;

/** The increase of each count since the previous snapshot; for a new name, its whole count. */
function change(now, before) {
  const gained = new Map();
  for (const [name, n] of Object.entries(now)) {
    const more = n - ((before && before[name]) || 0);
    if (more > 0) gained.set(name, more);
  }
  return gained;
}
function sum(samples, member) {
  const total = new Map();
  for (const sample of samples) for (const [name, n] of sample[member]) total.set(name, (total.get(name) || 0) + n);
  return total;
}
const total = counts => [...counts.values()].reduce((a, b) => a + b, 0);

function remember(snapshot) {
  if (previous && snapshot.uptime < previous.uptime) { history = new Map(); all = new History(); previous = null; }
  const at = Date.parse(snapshot.time) / 1000, refused = new Map(), ended = new Map();
  const before = new Map(previous ? previous.routes.map(route => [route.route, route]) : []);
  const merge = (into, counts) => { for (const [name, n] of counts) into.set(name, (into.get(name) || 0) + n); };
  for (const route of snapshot.routes) {
    const old = before.get(route.route);
    // The counts of the first snapshot are from an unknown period.
    const sample = {
      at, value: route.recordsPerSecond,
      refused: previous ? change(route.refused, old && old.refused) : new Map(),
      ended: previous ? change(route.outcomes, old && old.outcomes) : new Map(),
    };
    sample.ended.delete("refused");
    if (!history.has(route.route)) history.set(route.route, new History());
    history.get(route.route).add(sample);
    merge(refused, sample.refused);
    merge(ended, sample.ended);
  }
  all.add({ at, value: snapshot.totals.recordsPerSecond, streams: snapshot.totals.activeStreams, refused, ended });
  previous = snapshot;
}

// ---- Charts: throughput above the line, rejections below it

const nice = max => {
  if (max <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(max));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(step => step * power).find(step => step >= max * .999);
};
function line(points, top, foot, high) {
  let trace = "", area = "", start = null, last = null;
  const close = () => { if (last) area += `L${last[0]} ${foot}L${start} ${foot}Z`; };
  for (const [x, value, isGap] of points) {
    const y = (foot - (foot - top) * value / high).toFixed(1);
    if (!last || isGap) { close(); trace += `M${x} ${y}`; area += `M${x} ${y}`; start = x; }
    else { trace += `L${x} ${y}`; area += `L${x} ${y}`; }
    last = [x, y];
  }
  close();
  return { trace, area };
}
function draw(figure, samples, now, unit, foot = 156) {
  if (!figure.firstChild) figure.append(clone("t-chart"));
  const svg = figure.querySelector("svg"), x = at => (600 * (1 - (now - at) / WINDOW)).toFixed(1);
  const high = nice(Math.max(0, ...samples.map(sample => sample.value)));
  const { trace, area } = line(
    samples.map((sample, i) => [x(sample.at), sample.value, i > 0 && sample.at - samples[i - 1].at > 10]), 4, foot, high);
  svg.querySelector(".trace").setAttribute("d", trace);
  svg.querySelector(".area").setAttribute("d", area);
  svg.querySelector(".crest").setAttribute("d", `M0 ${foot}H600`);
  const bins = new Map();
  for (const sample of samples) {
    const n = total(sample.refused || new Map()), bin = Math.floor(sample.at / BIN);
    if (n) bins.set(bin, (bins.get(bin) || 0) + n);
  }
  const most = Math.max(0, ...bins.values()), deep = nice(most);
  let spill = "";
  for (const [bin, n] of bins) {
    const left = Math.max(0, x(bin * BIN)), right = Math.min(600, x(bin * BIN + BIN)) - 1.5;
    if (right > left) spill += `M${left} ${foot}H${right}V${(foot + 42 * n / deep).toFixed(1)}H${left}Z`;
  }
  svg.querySelector(".spill").setAttribute("d", spill);
  const latest = samples.length ? samples[samples.length - 1].value : 0;
  put(figure.querySelector(".scale"), rate(high) + unit);
  figure.querySelector(".refusals").style.visibility = most ? "visible" : "hidden";
  put(figure.querySelector(".most"), ", up to " + count(most) + " in " + BIN + " s");
  put(figure.querySelector(".from"), "−" + WINDOW / 60 + " min");
  svg.setAttribute("aria-label", `Now ${rate(latest)}${unit}, at most ${rate(Math.max(0, ...samples.map(s => s.value)))}${unit}; `
    + `${count(total(bins))} refused in ${WINDOW / 60} minutes`);
}

// ---- Keyed rows: each keeps its node, so that focus and hover are not lost

function rows(parent, items, key, template, fill) {
  const known = parent.known || (parent.known = new Map()), wanted = new Map(items.map(item => [key(item), item]));
  for (const [name, node] of known) if (!wanted.has(name)) { node.remove(); known.delete(name); }
  // While a row is hovered or focused, rows do not move.
  const isBusy = parent.matches(":hover, :focus-within");
  let place = parent.firstElementChild;
  for (const [name, item] of wanted) {
    let node = known.get(name);
    if (!node) {
      node = clone(template).firstElementChild;
      known.set(name, node);
      parent.insertBefore(node, isBusy ? null : place);
    } else if (node === place) place = place.nextElementSibling;
    else if (!isBusy) parent.insertBefore(node, place);
    fill(node, item);
  }
}
/** A full queue is a warning only if its client is slow: of a metered stream it is the usual state. */
function gauge(bar, part, isSlow) {
  bar.firstElementChild.style.width = Math.min(100, 100 * part) + "%";
  bar.classList.toggle("is-full", isSlow && part >= .95);
}

// ---- The overview

let isSlowWhole = false, mayAct = false, longestWait = new Map(), received = 0, lastBreakers = null;

function showSnapshot(snapshot) {
  const at = Date.parse(snapshot.time) / 1000, now = all.within(at), { totals } = snapshot;
  received = performance.now();
  mayAct = snapshot.actions === true;
  showHealth(snapshot);
  const covered = all.span(at), label = covered > WINDOW - 2 * BIN ? WINDOW / 60 + " min" : span(covered);
  for (const node of document.querySelectorAll(".window")) put(node, label);
  put($("version"), snapshot.version);
  put($("uptime"), span(snapshot.uptime));
  showConfiguration(snapshot.configuration);
  showReplicas(snapshot.replicas);
  put($("time"), new Date(snapshot.time).toLocaleTimeString("en-GB"));
  put($("records"), rate(totals.recordsPerSecond));
  put($("bytes"), bytes(totals.bytesPerSecond));
  draw($("flow"), now, at, " rec/s");

  put($("streams"), count(totals.activeStreams));
  put($("streams-note"), "at most " + count(Math.max(...now.map(sample => sample.streams))) + " in the last " + label);
  const refused = sum(now, "refused"), ended = sum(now, "ended");
  put($("refused"), count(total(refused)));
  put($("refused-note"), list(refused) || "none");
  put($("ended"), count(total(ended)));
  put($("ended-note"), list(ended) || "none");
  showBuffer(totals);
  showRoutes(snapshot.routes, at);
  showSlowest(snapshot.slowest);
  showUpstreams(snapshot.upstreams);
  showPulls(snapshot.pulls);
  showBreakers(snapshot.breakers);
  put($("hint"), mayAct ? "" : "With an admin_token, this page can end streams and reset breakers.");
  announce(snapshot);
}

/** The chip is the worse of the process's state and its health, with the reasons as text. */
function showHealth(snapshot) {
  const isReady = snapshot.state === "ready" && snapshot.health !== "healthy";
  chip($("state"), isReady ? snapshot.health : snapshot.state);
  show($("reasons"), snapshot.reasons.length > 0);
  put($("reasons"), snapshot.reasons.join("; "));
}

function showUpstreams(upstreams) {
  show($("upstreams").tHead.querySelector(".act"), mayAct);
  rows($("upstreams").tBodies[0], upstreams, upstream => JSON.stringify([upstream.route, upstream.upstream]), "t-upstream", (row, upstream) => {
    const cells = row.cells, failure = upstream.lastFailure, isDrained = upstream.state === "drained";
    put(row.querySelector("code"), upstream.upstream);
    put(row.querySelector(".dim"), upstream.route);
    chip(row.querySelector(".chip"), upstream.state);
    put(cells[2], count(upstream.openRequests));
    put(cells[3], count(upstream.requests));
    put(cells[4], count(upstream.failures));
    put(cells[5], upstream.firstByte === undefined ? "–" : milliseconds(upstream.firstByte));
    put(cells[6], failure ? `${failure.cause}, ${span(failure.ago)} ago: ${failure.text}` : "none");
    show(row.querySelector(".act"), mayAct);
    const button = row.querySelector("button");
    put(button, isDrained ? "Undrain" : "Drain");
    button.setAttribute("aria-label", `${isDrained ? "Undrain" : "Drain"} ${upstream.upstream} of ${upstream.route}`);
    button.onclick = () => act(`v1/admin/upstreams/${isDrained ? "undrain" : "drain"}`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ route: upstream.route, upstream: upstream.upstream }),
    }, isDrained ? "The upstream is in use again." : "The upstream gets no new requests.");
  });
}

function showConfiguration(configuration) {
  const older = configuration.olderStreams ? `, ${count(configuration.olderStreams)} under older ones` : "";
  put($("configuration"), configuration.generation + older + (configuration.lastReload === "refused" ? ", last reload refused" : ""));
  $("configuration").classList.toggle("is-warm", configuration.lastReload === "refused");
}

/** Only where limits count over several instances. */
function showReplicas(replicas) {
  show($("replicas-fact"), replicas !== undefined);
  if (!replicas) return;
  const state = replicas.shared ? `${count(replicas.count)}, this is ${replicas.name}` : "limits are not shared";
  put($("replicas"), state + (replicas.failures ? `, ${counted(replicas.failures, "failure")}` : ""));
  $("replicas").classList.toggle("is-warm", !replicas.shared);
}

/** The higher of the two shares counts. It may exceed 100 %: a client may have reduced its buffer while it was full. */
function showBuffer(totals) {
  const records = totals.bufferCapacityRecords ? totals.bufferRecords / totals.bufferCapacityRecords : 0;
  const held = totals.bufferCapacityBytes ? totals.bufferBytes / totals.bufferCapacityBytes : 0;
  const use = Math.max(records, held), y = 96 - 72 * Math.min(use, 1.22);
  put($("buffer"), share(use));
  put($("buffer-note"), `${count(totals.bufferRecords)} of ${count(totals.bufferCapacityRecords)} records, `
    + `${bytes(totals.bufferBytes)} of ${bytes(totals.bufferCapacityBytes)}`);
  $("level").setAttribute("d", `M8 96H76V${y}Q59 ${y - 3} 42 ${y}T8 ${y}Z`);
}

function showRoutes(routes, at) {
  const drawn = routes.length > MOST_ROUTES
    ? [...routes].sort((a, b) => b.recordsPerSecond - a.recordsPerSecond || b.activeStreams - a.activeStreams).slice(0, MOST_ROUTES)
    : routes;
  rows($("routes"), drawn, route => route.route, "t-route", (card, route) => {
    const samples = history.get(route.route).within(at), refused = sum(samples, "refused");
    put(card.querySelector("code"), route.route);
    put(card.querySelector(".pace span"), rate(route.recordsPerSecond));
    draw(card.querySelector(".chart"), samples, at, " rec/s");
    put(card.querySelector(".note"), `${counted(route.activeStreams, "stream")} · `
      + `${bytes(route.bytesPerSecond)}/s · ${count(route.bufferRecords)} queued`);
    put(card.querySelector(".refused"), total(refused) ? "Refused: " + list(refused) : "");
  });
  show($("routes-more"), routes.length > drawn.length);
  put($("routes-more"), `${routes.length - drawn.length} more routes with fewer records.`);
  for (const name of history.keys()) if (!routes.some(route => route.route === name)) history.delete(name);
}

let found = null;  // the streams of the client that was searched for: its name, its streams, and their number

function showSlowest(streams) {
  if (found) streams = found.streams;
  show($("find-all"), found !== null);
  show($("find-end"), found !== null && found.count > 0 && mayAct);
  put($("slow-empty"), found ? "This client has no open streams." : "No streams are open.");
  put($("slow-note"), found ? `${count(found.count)} streams of ${found.client}, as of the search` : "clients that do not take what is due, then the fullest queues");
  // Slow clients first: a queue may also be full of records that are not due yet.
  const sorted = [...streams].sort((a, b) => (b.state === "slow") - (a.state === "slow"));
  const listed = isSlowWhole ? sorted : sorted.slice(0, FEW_SLOW);
  show($("slow"), streams.length > 0);
  show($("slow-empty"), streams.length === 0);
  show($("slow-more"), streams.length > FEW_SLOW);
  put($("slow-more"), isSlowWhole ? "Show fewer" : `Show all ${streams.length}`);
  rows($("slow").tBodies[0], listed, stream => stream.id, "t-slow", (row, stream) => {
    const cells = row.cells, link = cells[0].firstElementChild;
    put(link, stream.client || "unknown");
    if (link.hash !== "#stream/" + stream.id) link.href = "#stream/" + encodeURIComponent(stream.id);
    put(cells[1].firstElementChild, stream.route);
    chip(cells[2].firstElementChild, stream.state);
    put(cells[3].firstElementChild, `${count(stream.bufferRecords)} of ${count(stream.buffer)}`);
    gauge(cells[3].lastElementChild, stream.bufferRecords / Math.max(1, stream.buffer), stream.state === "slow");
    put(cells[4].firstElementChild, span(stream.paused));
    put(cells[4].lastElementChild, ` (${share(stream.duration > 0 ? Math.min(1, stream.paused / stream.duration) : 0)})`);
    put(cells[5], stream.rate);
    put(cells[6], count(stream.records));
  });
}

function showPulls(pulls) {
  show($("pulls-panel"), pulls.length > 0);
  // Requests that differ in a field or in the query have the same path.
  const listed = pulls.map((pull, at) => ({ ...pull, at }));
  rows($("pulls").tBodies[0], listed, pull => JSON.stringify([pull.route, pull.path, pull.at]), "t-pull", (row, pull) => {
    const cells = row.cells;
    put(cells[0].firstElementChild, pull.path);
    put(cells[0].lastElementChild, pull.route);
    chip(cells[1].firstElementChild, pull.paused ? "paused" : "flowing");
    put(cells[2], count(pull.readers));
    put(cells[3], count(pull.lag) + " records");
    put(cells[4], `${count(pull.records)} records, ${bytes(pull.bytes)}`);
  });
}

const breakerKey = breaker => JSON.stringify([breaker.route, breaker.kind, breaker[breaker.kind]]);
function showBreakers(breakers) {
  longestWait = new Map(breakers.map(breaker => {
    const key = breakerKey(breaker);
    return [key, Math.max(breaker.retryAfter, longestWait.get(key) || 0)];
  }));
  show($("breakers"), breakers.length > 0);
  show($("breakers-empty"), breakers.length === 0);
  put($("breakers-note"), breakers.length ? breakers.length + " not closed" : "");
  show($("breakers").tHead.querySelector(".act"), mayAct);
  rows($("breakers").tBodies[0], breakers, breakerKey, "t-breaker", (row, breaker) => {
    row.breaker = breaker;
    put(row.querySelector("code"), breaker[breaker.kind]);
    put(row.querySelector(".dim"), breaker.kind + " · " + breaker.route);
    chip(row.querySelector(".chip"), breaker.state);
    show(row.querySelector(".act"), mayAct);
    row.querySelector("button").onclick = () => resetBreaker(row.breaker);
    row.querySelector("button").setAttribute("aria-label", `Reset the breaker of ${breaker.kind} ${breaker[breaker.kind]}`);
  });
  countDown();
}
/** Between two snapshots the countdown continues by the browser's clock. */
function countDown() {
  for (const [key, row] of $("breakers").tBodies[0].known || []) {
    const left = row.breaker.state === "open" ? Math.max(0, row.breaker.retryAfter - (performance.now() - received) / 1000) : 0;
    put(row.cells[2].firstElementChild, row.breaker.state === "open" ? Math.ceil(left) + " s" : "trying now");
    row.cells[2].lastElementChild.firstElementChild.style.width = 100 * left / (longestWait.get(key) || 1) + "%";
  }
}
setInterval(countDown, 250);

/** Screen readers read this out: only changes that need an operator's attention. */
function announce(snapshot) {
  const open = snapshot.breakers.filter(breaker => breaker.state === "open").length;
  if (snapshot.state === "draining" && $("state").announced !== "draining") put($("announce"), "weir is draining.");
  else if (lastBreakers !== null && open > lastBreakers) put($("announce"), `${open} breakers are open.`);
  $("state").announced = snapshot.state;
  lastBreakers = open;
}

// ---- One stream

const CAUSES = {
  client: ["Client", "does not take what is due"], pace: ["Pace", "records are not due yet"],
  feedback: ["Feedback", "the client paused the stream"], detached: ["Detached", "the stream has no client"],
};
let one = null;  // the stream that is shown: its handle, its pauses by their start, and the history of its queue

function openStream(handle) {
  one = { handle, pauses: new Map(), queue: new History(), hasEnded: false };
  const lanes = $("lanes");
  lanes.replaceChildren();
  for (const [cause, [name, why]] of Object.entries(CAUSES)) {
    const label = make("p", name), svg = document.createElementNS(SVG, "svg");
    label.className = "cause";
    label.append(make("span", why));
    svg.setAttribute("viewBox", "0 0 600 20");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.append(document.createElementNS(SVG, "path"));
    svg.firstChild.setAttribute("class", cause);
    svg.id = "lane-" + cause;
    lanes.append(label, svg);
  }
  const axis = make("p");
  axis.className = "axis";
  axis.append(make("span"), make("span", "now"));
  lanes.append(axis);
  for (const id of ["one-facts", "one-chart"]) $(id).replaceChildren();
  $("pauses").tBodies[0].replaceChildren();
  chip($("one-state"), "connecting");
  put($("one-client"), "Stream " + handle);
  look(one);
}
async function look(shown) {
  while (one === shown && !shown.hasEnded) {
    try {
      const answer = await ask("v1/admin/streams/" + encodeURIComponent(shown.handle));
      if (one !== shown) return;
      if (answer.ok) showStream(await answer.json());
      else if (answer.status === 404) {
        shown.hasEnded = true;
        chip($("one-state"), "ended");
        // What was running has ended with it.
        for (const pause of shown.pauses.values()) pause.running = false;
        listPauses([...shown.pauses.values()].sort((a, b) => a.start - b.start).slice(-LISTED_PAUSES).reverse(), shown.seen || 0);
        show(document.querySelector("#stream .act"), false);
        put($("announce"), "The stream has ended.");
      }
    } catch { /* the overview's connection reports that weir cannot be reached */ }
    await later(1000);
  }
}
function showStream(stream) {
  const now = stream.duration, from = Math.max(0, now - WINDOW);
  one.seen = now;
  put($("one-client"), stream.client || "unknown client");
  chip($("one-state"), stream.state);
  show(document.querySelector("#stream .act"), mayAct);
  facts($("one-facts"), {
    Route: stream.route, Path: stream.path, Upstream: stream.upstream, Open: span(stream.duration), Rate: stream.rate,
    Delivered: `${count(stream.records)} records, ${bytes(stream.bytes)}`, Dropped: count(stream.dropped),
    Resumed: `${count(stream.resumptions)} ×`,
  });
  for (const pause of stream.pauses) one.pauses.set(pause.start, pause);
  for (const start of one.pauses.keys()) {
    if (one.pauses.size <= MOST_PAUSES) break;
    one.pauses.delete(start);
  }
  const pauses = [...one.pauses.values()].sort((a, b) => a.start - b.start);
  put($("one-waited"), `${span(stream.paused)} in all, ${count(stream.pauseCount)} pauses`);
  const width = Math.max(1, Math.min(WINDOW, now)), x = at => 600 * (at - Math.max(from, 0)) / width;
  for (const cause of Object.keys(CAUSES)) {
    const own = pauses.filter(pause => pause.cause === cause && pause.start + pause.seconds > from), lane = $("lane-" + cause);
    lane.firstChild.setAttribute("d", own.map(pause => {
      const left = Math.max(0, x(pause.start)), right = Math.max(left + 1.2, Math.min(600, x(pause.start + pause.seconds)));
      return `M${left.toFixed(1)} 2H${right.toFixed(1)}V18H${left.toFixed(1)}Z`;
    }).join(""));
    lane.setAttribute("aria-label", `${CAUSES[cause][0]}: ${own.length} pauses, ${span(own.reduce((s, p) => s + p.seconds, 0))}`);
  }
  put($("lanes").lastChild.firstChild, from > 0 ? "−" + WINDOW / 60 + " min" : "start");
  one.queue.add({ at: stream.duration, value: stream.bufferRecords });
  draw($("one-chart"), one.queue.within(now), now, " records", 198);
  put($("one-queue"), `${count(stream.bufferRecords)} of ${count(stream.buffer)}`);
  listPauses(pauses.slice(-LISTED_PAUSES).reverse(), now);
}
function facts(sheet, values) {
  for (const [name, value] of Object.entries(values)) {
    let item = [...sheet.children].find(child => child.firstChild.textContent === name);
    if (!item) { item = make("div"); item.append(make("dt", name), make("dd")); sheet.append(item); }
    put(item.lastChild, value);
  }
}
function listPauses(pauses, now) {
  show($("pauses"), pauses.length > 0);
  show($("pauses-empty"), pauses.length === 0);
  $("pauses").tBodies[0].replaceChildren(...pauses.map(pause => {
    const row = make("tr"), lasted = make("td", span(pause.seconds) + (pause.running ? " so far" : ""));
    lasted.className = "number";
    row.append(make("td", span(now - pause.start) + " ago"), make("td", (CAUSES[pause.cause] || [pause.cause])[0]), lasted);
    return row;
  }));
}

// ---- Requests to weir

let token = sessionStorage.getItem("weir.token") || "", unlocked = null;
const later = milliseconds => new Promise(done => setTimeout(done, milliseconds));

/** Sends a request with the token; if that is missing or wrong, asks for another and sends the request again. */
async function ask(path, options = {}) {
  for (;;) {
    const headers = { ...options.headers }, used = token;
    if (used) headers.Authorization = "Bearer " + used;
    const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit", redirect: "error" });
    if (answer.status !== 401) return answer;
    if (used === token) await unlock(used !== "");
  }
}
/** Asks for the token, once for all requests that wait for it. */
function unlock(isWrong) {
  if (!unlocked) {
    token = "";
    sessionStorage.removeItem("weir.token");
    chip($("state"), "locked");
    put($("token-why"), isWrong ? "This is not the admin_token of this weir." : "This weir requires its admin_token. The token is kept only in this tab.");
    $("ask-token").showModal();
    unlocked = new Promise(done => $("ask-token").addEventListener("close", () => {
      token = $("token").value.trim();
      $("token").value = "";
      if (token) sessionStorage.setItem("weir.token", token);
      show($("forget"), token !== "");
      unlocked = null;
      done();
    }, { once: true }));
  }
  return unlocked;
}
$("ask-token").addEventListener("cancel", event => event.preventDefault());
$("forget").onclick = () => { sessionStorage.removeItem("weir.token"); location.reload(); };
show($("forget"), token !== "");

/** What preceded the page, once. */
async function recall() {
  if (previous) return;
  const answer = await ask("v1/admin/history");
  if (answer.ok) for (const sample of await answer.json()) remember(sample);
}
/** Reads the event stream; `fetch`, because an `EventSource` cannot send the token. */
async function follow() {
  const stop = new AbortController();
  let watch = null;
  const wait = () => { clearTimeout(watch); watch = setTimeout(() => stop.abort(), STALE); };
  try {
    const answer = await ask("v1/admin/events?interval=1s", { signal: stop.signal });
    if (!answer.ok) throw new Error((await answer.text()).trim() || "HTTP " + answer.status);
    await recall();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (wait(); ;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("weir ended the connection");
      wait();
      const events = (text + value).split("\n\n");
      text = events.pop();
      const snapshots = events.map(event => event.split("\n").find(line => line.startsWith("data: "))).filter(Boolean)
        .map(data => JSON.parse(data.slice("data: ".length)));
      if (!snapshots.length) continue;
      // All are stored, the last one is shown: a page in the background gets several at once.
      snapshots.forEach(remember);
      lost(null);
      showSnapshot(previous);
    }
  } finally {
    clearTimeout(watch);
    stop.abort();
  }
}
let why = null;
function lost(reason) {
  why = reason;
  document.body.classList.toggle("is-stale", reason !== null);
  show($("lost"), reason !== null);
  if (reason === null) return;
  chip($("state"), "lost");
  const age = received ? "The page shows the state at " + new Date(previous.time).toLocaleTimeString("en-GB") + ". " : "";
  put($("lost"), `Connection to weir lost: ${reason}. ${age}Trying again.`);
}
async function run() {
  for (let tries = 0; ; tries += 1) {
    try { await follow(); } catch (error) {
      if (why === null) tries = 0;
      lost(error.name === "AbortError" ? "it has been silent for " + STALE / 1000 + " s"
        : error instanceof TypeError ? "it cannot be reached" : error.message);
    }
    await later(Math.min(5000, 500 * 2 ** tries));
  }
}

// ---- Actions of operators

async function act(path, options, done) {
  try {
    const answer = await ask(path, options);
    if (answer.ok) return say(done);
    const problem = await answer.json().catch(() => ({}));
    say(problem.detail || problem.title || "HTTP " + answer.status);
  } catch { say("weir cannot be reached."); }
}
let silence = null;
function say(text) {
  put($("message"), text);
  show($("message"), true);
  clearTimeout(silence);
  silence = setTimeout(() => show($("message"), false), 6000);
}
function resetBreaker(breaker) {
  const { route, kind } = breaker;
  return act("v1/admin/breakers/reset", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ route, kind, [kind]: breaker[kind] }),
  }, "The breaker is closed.");
}
$("one-end").onclick = () => { $("confirm").returnValue = ""; $("confirm").showModal(); };
$("confirm").addEventListener("close", () => {
  if ($("confirm").returnValue === "yes" && one)
    act("v1/admin/streams/" + encodeURIComponent(one.handle), { method: "DELETE" }, "The stream is ended.");
});
async function find(client) {
  try {
    const answer = await ask("v1/admin/streams?client=" + encodeURIComponent(client));
    if (!answer.ok) return say("HTTP " + answer.status);
    found = { client, ...await answer.json() };
    showSlowest([]);
  } catch { say("weir cannot be reached."); }
}
$("find").addEventListener("submit", event => {
  event.preventDefault();
  const client = $("client").value.trim();
  if (client) find(client);
});
$("find-all").onclick = () => { found = null; $("client").value = ""; if (previous && previous.slowest) showSlowest(previous.slowest); };
$("find-end").onclick = () => { $("confirm-client").returnValue = ""; $("confirm-client").showModal(); };
$("confirm-client").addEventListener("close", async () => {
  if ($("confirm-client").returnValue !== "yes" || !found) return;
  await act("v1/admin/streams?client=" + encodeURIComponent(found.client), { method: "DELETE" }, "The streams are ended.");
  find(found.client);
});
$("slow-more").onclick = () => { isSlowWhole = !isSlowWhole; if (previous && previous.slowest) showSlowest(previous.slowest); };
$("theme").onclick = () => {
  const isDark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!localStorage.getItem("weir.theme") && matchMedia("(prefers-color-scheme: dark)").matches);
  localStorage.setItem("weir.theme", isDark ? "light" : "dark");
  theme();
};
function theme() { document.documentElement.style.colorScheme = localStorage.getItem("weir.theme") || ""; }

function navigate() {
  const handle = /^#stream\/([0-9a-f]{1,32})$/.exec(location.hash);
  one = null;
  show($("overview"), !handle);
  show($("stream"), Boolean(handle));
  document.title = handle ? "weir · stream" : "weir";
  if (!handle) return;
  openStream(handle[1]);
  $("one-client").focus();
}
addEventListener("hashchange", navigate);
theme();
navigate();
run();
