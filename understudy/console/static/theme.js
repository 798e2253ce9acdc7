// Runs before anything is painted, so that a kept theme does not flash.
const kept = localStorage.getItem("understudy-theme");
if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
