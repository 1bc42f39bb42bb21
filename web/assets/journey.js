"use strict";
// Everything works without this file. It counts the documents chosen, tells the
// time left, and moves the focus to what is wrong with a form.
(() => {
  const $ = q => document.querySelector(q);
  $("#wrong")?.focus();

  const send = $("button[data-several]");
  const count = () => {
    const n = document.querySelectorAll("input[value=send]:checked").length;
    send.textContent = n === 0 ? send.dataset.none : n === 1 ? send.dataset.single : send.dataset.several.replace("{n}", n);
  };
  if (send) {
    document.addEventListener("change", count);
    addEventListener("pageshow", count); // the browser may bring choices back
    count();
  }

  const left = $("[data-until]");
  if (left) {
    const until = Date.parse(left.dataset.until), warned = $("#warned");
    let last = "";
    const tell = () => {
      const minutes = Math.floor((until - Date.now()) / 60000);
      left.textContent = minutes < 0 ? left.dataset.over : left.dataset.text.replace("{minutes}", minutes);
      const now = minutes < 0 ? left.dataset.over : minutes < 2 ? left.dataset.soon : "";
      if (now !== last) warned.textContent = last = now;
    };
    tell();
    setInterval(tell, 5000);
  }
})();
