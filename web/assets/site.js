"use strict";
// Everything works without this file. It adds arrow keys to the board and the
// matrix, find-as-you-type, playing through the quarters, and "/" and "?".
(() => {
  const $ = (q, root = document) => root.querySelector(q);
  const $$ = (q, root = document) => [...root.querySelectorAll(q)];

  // The board's choice of view stands in the address.
  $$('input[name=view]').forEach(r => r.addEventListener("change", () => {
    const u = new URL(location);
    r.value === "table" ? u.searchParams.set("view", "table") : u.searchParams.delete("view");
    history.replaceState(null, "", u);
  }));

  // Board: left and right go to the neighbouring level, up and down inside one.
  const board = $("[data-keys=board]");
  board && board.addEventListener("keydown", e => {
    const chip = e.target.closest(".chip");
    if (!chip || e.altKey || e.ctrlKey || e.metaKey) return;
    const cols = $$(".col", board).map(c => $$(".chip", c)).filter(c => c.length);
    const x = cols.findIndex(c => c.includes(chip)), y = cols[x].indexOf(chip);
    const to = {
      ArrowLeft: () => cols[x - 1]?.[Math.min(y, cols[x - 1].length - 1)],
      ArrowRight: () => cols[x + 1]?.[Math.min(y, cols[x + 1].length - 1)],
      ArrowUp: () => cols[x][y - 1], ArrowDown: () => cols[x][y + 1],
      Home: () => cols[0][0], End: () => cols.at(-1).at(-1),
    }[e.key]?.();
    if (to) { e.preventDefault(); to.focus(); }
  });

  // Time columns: left and right.
  $$(".time").forEach(t => t.addEventListener("keydown", e => {
    const all = $$("a", t), i = all.indexOf(e.target);
    const to = { ArrowLeft: all[i - 1], ArrowRight: all[i + 1] }[e.key];
    if (to) { e.preventDefault(); to.focus(); }
  }));

  // Matrix: one tab stop, then arrows; Enter opens the pair, Escape returns.
  const mx = $("[data-keys=matrix] table");
  if (mx) {
    const rows = [...mx.tBodies[0].rows].map(r => [...r.cells].slice(1));
    $$("td a", mx).forEach(a => a.tabIndex = -1);
    const target = c => $("a", c) || c;
    let here = target(rows.flat().find(c => $("a", c)) || rows[0][1] || rows[0][0]);
    here.tabIndex = 0;
    const go = c => {
      if (!c) return;
      here.tabIndex = -1;
      here = target(c);
      here.tabIndex = 0;
      here.focus();
    };
    mx.addEventListener("keydown", e => {
      const cell = e.target.closest("td");
      const y = rows.findIndex(r => r.includes(cell)), x = y < 0 ? -1 : rows[y].indexOf(cell);
      if (x < 0) return;
      const last = rows[y].length - 1;
      const keys = {
        ArrowLeft: [y, x - 1], ArrowRight: [y, x + 1], ArrowUp: [y - 1, x], ArrowDown: [y + 1, x],
        Home: e.ctrlKey ? [0, 0] : [y, 0], End: e.ctrlKey ? [rows.length - 1, last] : [y, last],
      }[e.key];
      if (!keys) return;
      e.preventDefault();
      go(rows[keys[0]]?.[keys[1]]);
    });
    const pair = $("#pair");
    if (pair && location.hash === "#pair") {
      pair.focus();
      pair.addEventListener("keydown", e => e.key === "Escape" && here.focus());
      const open = new URLSearchParams(location.search).get("pair");
      const link = $$("td a", mx).find(a => new URL(a.href).searchParams.get("pair") === open);
      if (link) { here.tabIndex = -1; here = link; here.tabIndex = 0; }
    }
  }

  // Find as you type: hides what does not fit, on pages that list countries.
  const find = $("#find"), cards = $$(".mults li, .board .col li");
  find && cards.length && find.addEventListener("input", () => {
    const asked = find.value.trim().toLocaleLowerCase(document.documentElement.lang);
    cards.forEach(li => {
      const name = ($(".nm", li)?.textContent || li.textContent).trim().toLocaleLowerCase(document.documentElement.lang);
      const code = ($("a", li)?.pathname || "").split("/").pop();
      li.hidden = asked !== "" && !name.startsWith(asked) && !name.includes(" " + asked) && code !== asked;
    });
  });

  // Play: walks through the quarters on demand, never under reduced motion.
  const play = $("[data-play]");
  if (play && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    const links = $$(".time a"), start = $("[data-play-go]"), stop = $("[data-play-stop]"), says = $("[role=status]", play);
    const now = links.find(a => a.hasAttribute("aria-current"));
    let timer = 0;
    const show = a => {
      links.forEach(l => l.toggleAttribute("data-on", l === a));
      says.textContent = a ? $(".vh", a).textContent : "";
    };
    const end = () => { clearInterval(timer); start.hidden = false; stop.hidden = true; show(null); now?.focus(); };
    play.classList.remove("hold");
    start.addEventListener("click", () => {
      let i = 0;
      start.hidden = true; stop.hidden = false; stop.focus();
      show(links[0]);
      timer = setInterval(() => ++i < links.length ? show(links[i]) : end(), 1500);
    });
    stop.addEventListener("click", end);
  }

  // A demonstration's page shows the next snapshot when it is published, unless
  // somebody writes in it or has a menu open.
  const newest = $("[data-newest]")?.dataset.newest;
  const occupied = () => document.hidden || document.activeElement?.closest("input,select,textarea") || $("details.menu[open]");
  if (newest) setInterval(async () => {
    if (occupied()) return;
    const page = await fetch(location.href, { cache: "no-cache" }).then(r => r.ok ? r.text() : "").catch(() => "");
    const now = page.match(/data-newest="(\d+)"/)?.[1];
    if (now && now !== newest && !occupied()) location.reload();
  }, 5000);

  // Forms: the summary of errors is read first.
  $("#wrong")?.focus();

  // "/" goes to the search field; menus close with Escape.
  addEventListener("keydown", e => {
    if (e.key === "/" && find && !e.target.closest("input,textarea,select") && !e.ctrlKey && !e.metaKey) {
      e.preventDefault();
      find.focus();
    }
    if (e.key === "Escape") $$("details.menu[open]").forEach(d => { d.open = false; $("summary", d).focus(); });
  });
  addEventListener("click", e => $$("details.menu[open]").forEach(d => d.contains(e.target) || (d.open = false)));
})();
