// Checks a clerk's form while it is written: the server judges, this shows what
// it says. Without script the button "Check" does the same.
(function () {
	"use strict";
	var form = document.querySelector("form[data-checks]"), out = document.getElementById("checks");
	if (!form || !out || !window.fetch) return;
	var timer, turn = 0;
	form.addEventListener("input", function () {
		clearTimeout(timer);
		timer = setTimeout(function () {
			var mine = ++turn, body = new URLSearchParams(new FormData(form));
			body.set("do", "typing");
			fetch(form.action, {method: "POST", body: body, credentials: "same-origin"})
				.then(function (r) { return r.ok ? r.text() : ""; })
				.then(function (html) { if (mine === turn && html) out.innerHTML = html; })
				.catch(function () {});
		}, 500);
	});
})();
