"use strict";
// The validator works without this file. It lets n and p walk through the
// findings, marks the line of the finding at hand, and takes a dropped file.
(() => {
  const box = document.querySelector("[data-keys=findings]");
  if (box) {
    const findings = [...box.querySelectorAll(".found li[id]")];
    const mark = f => {
      box.querySelectorAll(".here").forEach(l => l.classList.remove("here"));
      f?.classList.add("here");
      const to = f?.querySelector(".jump");
      const line = to && document.getElementById(to.hash.slice(1));
      if (!line) return;
      line.classList.add("here");
      const src = line.closest(".src");
      src.scrollTop += line.getBoundingClientRect().top - src.getBoundingClientRect().top - src.clientHeight / 3;
    };
    findings.forEach(f => f.addEventListener("focusin", () => mark(f)));
    document.addEventListener("keydown", e => {
      if (e.altKey || e.ctrlKey || e.metaKey || e.target.closest("input,textarea,select") || !findings.length) return;
      const here = findings.indexOf(document.activeElement.closest(".found li[id]"));
      const to = { n: Math.min(here + 1, findings.length - 1), p: here < 0 ? findings.length - 1 : Math.max(here - 1, 0) }[e.key];
      if (to === undefined) return;
      e.preventDefault();
      findings[to].focus();
      mark(findings[to]);
      findings[to].scrollIntoView({ block: "nearest" });
    });
    box.addEventListener("click", e => {
      const a = e.target.closest("a.mark, a.jump");
      if (!a) return;
      e.preventDefault();
      const to = document.getElementById(a.hash.slice(1));
      if (a.classList.contains("jump")) mark(a.closest("li"));
      else { to.focus(); to.scrollIntoView({ block: "nearest" }); }
    });
    document.getElementById("result")?.focus();
  }
  const form = document.querySelector("[data-drop]");
  if (form) {
    const over = on => e => { if (e.dataTransfer.types.includes("Files")) { e.preventDefault(); form.classList.toggle("over", on); } };
    form.addEventListener("dragover", over(true));
    form.addEventListener("dragleave", over(false));
    form.addEventListener("drop", e => {
      if (!e.dataTransfer.files.length) return;
      over(false)(e);
      form.querySelector("[type=file]").files = e.dataTransfer.files;
    });
  }
})();
