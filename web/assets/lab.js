"use strict";
// In the list of a run's results j and k go to the next and the previous failed
// check and e opens or closes it, while the focus is in the list.
document.addEventListener("keydown", e => {
  const list = e.target.closest("[data-keys=runlog]");
  if (!list || e.altKey || e.ctrlKey || e.metaKey || !["j", "k", "e"].includes(e.key)) return;
  const here = e.target.closest(".run-log > li");
  if (e.key === "e") {
    const fold = here?.querySelector("details");
    if (fold) fold.open = !fold.open;
  } else {
    const all = [...list.children], from = all.indexOf(here);
    const failed = all.filter(li => "failed" in li.dataset);
    const to = e.key === "j" ? failed.find(li => all.indexOf(li) > from) : failed.findLast(li => all.indexOf(li) < from);
    to?.querySelector("summary").focus();
  }
  e.preventDefault();
});
// Keeps a live page fresh: when the event's stream says that something changed,
// the page is read again and its marked parts are replaced. After three failures
// it asks every five seconds instead, and says so.
(() => {
  const address = document.body.dataset.live;
  if (!address) return;
  let busy = false, again = false, failures = 0, told = 0, first = true;
  const status = document.querySelector("[data-status]");
  const say = text => { if (status && Date.now() - told > 10000) { status.textContent = text; told = Date.now(); } };
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        document.querySelectorAll("[data-part]").forEach(part => {
          const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
          if (!fresh || part.innerHTML === fresh.innerHTML) return;
          const focused = part.contains(document.activeElement) && document.activeElement;
          const at = focused && focused.getAttribute("href"), row = focused && focused.closest("li[id]")?.id;
          part.querySelectorAll("li[id] > details[open]").forEach(d => { // what the reader has opened stays open
            const same = fresh.querySelector(`#${CSS.escape(d.parentNode.id)} > details`);
            if (same) same.open = true;
          });
          part.replaceChildren(...fresh.childNodes);
          if (at) part.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
          else if (row) part.querySelector(`#${CSS.escape(row)} summary`)?.focus();
          const news = part.querySelector("[data-news], time")?.textContent;
          if (news) say(news);
        });
      }
    } catch { /* the next change tries again */ }
    busy = false;
    if (again) { again = false; setTimeout(refresh, 300); }
  };
  const stream = new EventSource(address);
  stream.addEventListener("change", () => { failures = 0; if (!first) refresh(); first = false; });
  // A run: each result reads the page again, at most once in two seconds; the
  // bar and its sentence follow at once.
  let soon = 0;
  const later = () => { failures = 0; soon ||= setTimeout(() => { soon = 0; refresh(); }, 2000); };
  stream.addEventListener("step", later);
  stream.addEventListener("note", later);
  stream.addEventListener("progress", e => {
    failures = 0;
    const now = JSON.parse(e.data), bar = document.querySelector("progress"), sentence = document.querySelector("[data-sentence]");
    if (bar) bar.value = now.done;
    if (sentence) sentence.textContent = now.text;
    say(now.text);
  });
  stream.addEventListener("done", e => {
    stream.close();
    clearTimeout(soon);
    told = 0;
    say(JSON.parse(e.data).text);
    refresh();
  });
  stream.addEventListener("error", () => {
    if (++failures < 3) return;
    stream.close();
    if (status) status.textContent = document.body.dataset.quiet;
    setInterval(refresh, 5000);
  });
})();
