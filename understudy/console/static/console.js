// What pages do without asking the server: theme, menu, keyboard, countdowns, files.
"use strict";

const understudy = (() => {
  const THEMES = ["system", "light", "dark"];
  const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";
  const by = (id) => document.getElementById(id);

  function theme() {
    return document.documentElement.dataset.theme ?? "system";
  }

  function setTheme(name) {
    if (name === "system") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("understudy-theme");
    } else {
      document.documentElement.dataset.theme = name;
      localStorage.setItem("understudy-theme", name);
    }
    showTheme();
  }

  function showTheme() {
    const button = by("theme");
    if (button) button.textContent = `Theme: ${theme()}`;
    if (window.Quasar?.Dark) window.Quasar.Dark.set({ system: "auto", light: false, dark: true }[theme()]);
  }

  function nextTheme() {
    setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  }

  function toast(words, kind) {
    const shown = document.createElement("div");
    shown.className = `toast ${kind}`;
    shown.textContent = words;
    by("toasts")?.append(shown);
    setTimeout(() => shown.remove(), kind === "bad" ? 12000 : 5000);
  }

  // Keyboard: single letters where nobody types, and what the page adds by data-key on its buttons.
  const KEYS = [
    ["?", "this list"], ["t", "switch the theme"], ["g then c", "chat"], ["g then i", "inbox"], ["g then r", "runs"],
    ["g then m", "memory"], ["/", "write, or search"], ["n", "new conversation (chat)"],
    ["Ctrl+Enter", "send (chat)"], ["j, k", "next, previous question (inbox)"], ["a, e, r", "approve, edit, reject the question at hand"],
    ["Escape", "close, leave a field"],
  ];
  const PLACES = { c: "/", i: "/inbox", r: "/runs", m: "/memory", e: "/evaluation", t: "/team", x: "/experience", a: "/audit" };
  let going = 0;

  function help() {
    let dialog = by("help");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "help";
      dialog.className = "help";
      dialog.setAttribute("aria-labelledby", "help-title");
      const title = document.createElement("h2");
      title.id = "help-title";
      title.textContent = "Keyboard";
      const list = document.createElement("dl");
      for (const [key, words] of KEYS) {
        const term = document.createElement("dt");
        const shown = document.createElement("kbd");
        shown.textContent = key;
        term.append(shown);
        const meaning = document.createElement("dd");
        meaning.textContent = words;
        list.append(term, meaning);
      }
      const close = document.createElement("button");
      close.className = "button plain";
      close.textContent = "Close";
      close.addEventListener("click", () => dialog.close());
      dialog.append(title, list, close);
      document.body.append(dialog);
    }
    if (!dialog.open) dialog.showModal();
  }

  function isTyping(target) {
    return target.closest?.("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true]");
  }

  function pressed(event) {
    if (event.ctrlKey && event.key === "Enter" && event.target.form) {
      event.target.form.requestSubmit();
      return;
    }
    if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (by("help")?.open) return;
    if (acted(event.key)) event.preventDefault();
  }

  function acted(key) {
    if (going && Date.now() - going < 1500 && PLACES[key] !== undefined) {
      going = 0;
      document.querySelector(`.nav-link[href^="/console${PLACES[key]}"]`)?.click();
      return true;
    }
    going = key === "g" ? Date.now() : 0;
    if (key === "?") help();
    else if (key === "t") nextTheme();
    else if (key === "/") (by("goal") ?? by("search"))?.focus();
    else if (key === "j" || key === "k") moved(key === "j" ? 1 : -1);
    else return chosen(key);
    return true;
  }

  // Questions and other things in a list: one of them is at hand.
  function moved(by_) {
    const all = [...document.querySelectorAll("[data-item]")];
    if (!all.length) return;
    const at = all.findIndex((item) => item.contains(document.activeElement));
    const next = all[Math.min(Math.max(at + by_, 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function chosen(key) {
    if (!/^[a-z]$/.test(key)) return false;
    const within = document.activeElement?.closest?.("[data-item]") ?? document.querySelector("[data-item]");
    const button = within?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`[data-page-key="${key}"]`);
    if (!button || button.disabled) return false;
    button.click();
    return true;
  }

  // Deadlines count down here, so that nothing has to be sent every second.
  function counted() {
    for (const shown of document.querySelectorAll("[data-due]")) {
      const left = Math.round(Number(shown.dataset.due) - Date.now() / 1000);
      const words = left <= 0 ? "due now" : `due in ${span(left)}`;
      if (shown.textContent !== words) shown.textContent = words;
      shown.classList.toggle("warn", left < 300);
    }
  }

  function span(seconds) {
    if (seconds >= 172800) return `${Math.floor(seconds / 86400)} days`;
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(seconds / 3600), minutes = Math.floor((seconds % 3600) / 60);
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)} h` : `${minutes}:${two(seconds % 60)} min`;
  }

  // Files that are dropped or chosen become documents of the conversation.
  async function upload(files, url) {
    const told = [];
    for (const file of files) {
      const target = `${url}${url.includes("?") ? "&" : "?"}name=${encodeURIComponent(file.name)}`;
      try {
        const answer = await fetch(target, { method: "POST", body: file, headers: { "X-CSRF-Token": csrf() } });
        const words = await answer.text();
        told.push({ name: file.name, ok: answer.ok, words });
        if (!answer.ok) toast(`${file.name}: ${words}`, "bad");
      } catch {
        toast(`${file.name}: it could not be sent; try again`, "bad");
      }
    }
    return told;
  }

  function droppable(zone, input) {
    const send = async (files) => {
      if (!files.length) return;
      zone.classList.add("sending");
      const told = await upload(files, zone.dataset.upload);
      zone.classList.remove("sending");
      if (told.some((each) => each.ok)) emitEvent("documents", told.length);
    };
    zone.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      send([...event.dataTransfer.files]);
    });
    input.addEventListener("change", () => {
      send([...input.files]);
      input.value = "";
    });
  }

  // Stay at the end of a conversation while it grows, unless its reader has scrolled up.
  function sticky(id) {
    const scrolled = by(id);
    if (!scrolled || scrolled.dataset.sticky) return;
    scrolled.dataset.sticky = "1";
    let atEnd = true;
    scrolled.addEventListener("scroll", () => {
      atEnd = scrolled.scrollHeight - scrolled.scrollTop - scrolled.clientHeight < 80;
    });
    const down = () => atEnd && (scrolled.scrollTop = scrolled.scrollHeight);
    new MutationObserver(down).observe(scrolled, { childList: true, subtree: true, characterData: true });
    down();
  }

  // What the fields of a form hold, by their number.
  function values(id) {
    return Object.fromEntries([...by(id).querySelectorAll("[data-field]")].map((each) => [each.dataset.field, each.value]));
  }

  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("#theme, #keys, #menu");
    if (target?.id === "theme") nextTheme();
    if (target?.id === "keys") help();
    if (target?.id === "menu") {
      const isOpen = by("navigation").classList.toggle("open");
      target.setAttribute("aria-expanded", String(isOpen));
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "workspace") return;
    const there = new URL(location.href);
    there.pathname = "/console/";
    there.search = `?workspace=${encodeURIComponent(event.target.value)}`;
    location.href = there;
  });
  setInterval(counted, 500);
  new MutationObserver(() => {
    const button = by("theme");
    if (button && button.textContent !== `Theme: ${theme()}`) showTheme();
    for (const zone of document.querySelectorAll("[data-upload]:not([data-ready])")) {
      zone.dataset.ready = "1";
      droppable(zone, zone.querySelector("input[type=file]"));
    }
    const threads = document.querySelector(".threads-fold:not([data-ready])");
    if (threads) {
      threads.dataset.ready = "1";
      if (window.innerWidth <= 760) threads.open = false;
    }
    for (const scrolled of document.querySelectorAll("[data-stick]:not([data-sticky])")) sticky(scrolled.id);
  }).observe(document.documentElement, { childList: true, subtree: true });

  return { toast, setTheme, counted, values };
})();
