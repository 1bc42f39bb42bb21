"use strict";
// A form marked with data-passkey asks the authenticator before it is sent, and
// carries the answer in its field "passkey". W3C Web Authentication 3, §5.1.
(() => {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const said = form.querySelector("[data-said]"), button = form.querySelector("button");
    const creating = form.dataset.passkey === "create";
    let busy = false;
    form.addEventListener("submit", async event => {
      event.preventDefault();
      if (busy) return;
      const read = window.PublicKeyCredential?.[creating ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON"];
      if (!read) { said.textContent = form.dataset.old; return; }
      busy = true;
      said.textContent = "";
      try {
        const publicKey = read.call(PublicKeyCredential, JSON.parse(form.dataset.options));
        const answer = await navigator.credentials[creating ? "create" : "get"]({publicKey});
        form.elements.passkey.value = JSON.stringify(answer);
        form.submit();
      } catch {
        said.textContent = form.dataset.failed;
        button.focus();
        busy = false;
      }
    });
  }
})();
