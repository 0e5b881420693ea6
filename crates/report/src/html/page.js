"use strict";
(() => {
  const root = document.documentElement;
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const one = (id) => document.getElementById(id);
  const cards = all(".card.change");
  const entries = new Map(all(".list li").map((li) => [li.dataset.for, li]));
  const nodes = all(".graph .node");
  let current = null;

  // A file that a browser opens from a disk may not be allowed to remember.
  const remembered = (key) => { try { return localStorage.getItem("reconcile-" + key); } catch { return null; } };
  const remember = (key, value) => { try { localStorage.setItem("reconcile-" + key, value); } catch { /* as before */ } };

  all("[hidden]", document.body).filter((it) => it.matches(".tools, .filter, .copy")).forEach((it) => { it.hidden = false; });

  // The view, and light or dark.
  const view = (name) => {
    root.dataset.view = name;
    one("view").setAttribute("aria-pressed", String(name === "split"));
  };
  const toggleView = () => {
    const name = root.dataset.view === "split" ? "unified" : "split";
    view(name);
    remember("view", name);
  };
  view(remembered("view") || (innerWidth >= 1500 ? "split" : "unified"));

  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const showTheme = () => { one("theme").textContent = isDark() ? "Light" : "Dark"; };
  const toggleTheme = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember("theme", root.dataset.theme);
    showTheme();
  };
  if (remembered("theme")) root.dataset.theme = remembered("theme");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  showTheme();

  // Which changes are shown.
  const texts = new Map();
  const text = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const shown = () => cards.filter((card) => !card.hidden);
  const filter = () => {
    const actions = new Set(all("[name=action]:checked").map((box) => box.value));
    const type = one("type") ? one("type").value : "";
    const words = one("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const blocks = new Set();
    for (const card of cards) {
      const fits = actions.has(card.dataset.action)
        && (!type || card.dataset.type === type)
        && words.every((word) => text(card).includes(word));
      card.hidden = !fits;
      if (fits) blocks.add(card.dataset.block);
      const entry = entries.get(card.id);
      if (entry) entry.hidden = !fits;
    }
    for (const group of all(".group")) group.hidden = !group.querySelector(".card:not([hidden])");
    const count = shown().length;
    const isAll = count === cards.length;
    one("status").textContent = isAll ? "" : `${count} of ${cards.length} changes shown`;
    for (const node of nodes) node.classList.toggle("dim", !isAll && !blocks.has(node.dataset.node));
    if (current && current.hidden) select(null);
  };

  // The change that the keys are about.
  const select = (card) => {
    if (current) {
      current.classList.remove("current");
      entries.get(current.id)?.querySelector("a").removeAttribute("aria-current");
    }
    current = card;
    if (!card) return;
    card.classList.add("current");
    const link = entries.get(card.id)?.querySelector("a");
    link?.setAttribute("aria-current", "true");
    link?.scrollIntoView({ block: "nearest", behavior: "instant" });
  };
  const go = (card) => {
    select(card);
    card.scrollIntoView({ block: "start", behavior: "instant" });
    card.querySelector("summary").focus({ preventScroll: true });
  };
  const step = (by) => {
    const list = shown();
    if (!list.length) return;
    const at = list.indexOf(current);
    go(list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + by))]);
  };
  const fold = () => {
    const list = shown();
    const open = list.some((card) => !card.open);
    for (const card of list) card.open = open;
    showFold();
  };
  const showFold = () => {
    one("fold").textContent = shown().some((card) => !card.open) ? "Open all" : "Close all";
    one("fold").hidden = !cards.length;
  };

  // A link to a change opens it, and shows it if a filter hides it.
  const follow = () => {
    const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!card || !card.matches(".card.change")) return;
    if (card.hidden) {
      one("text").value = "";
      if (one("type")) one("type").value = "";
      for (const box of all("[name=action]")) box.checked = true;
      filter();
    }
    card.open = true;
    go(card);
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='#change-']");
    // The same link twice changes no hash.
    if (link && decodeURIComponent(link.getAttribute("href").slice(1)) === decodeURIComponent(location.hash.slice(1))) follow();
    const summary = event.target.closest && event.target.closest(".card.change > summary");
    if (summary) select(summary.parentElement);
  });

  // A graph that is a little too wide is made to fit; of a wider one nothing could be read, and it scrolls.
  const canvas = document.querySelector(".canvas");
  const fit = () => {
    const svg = canvas.firstElementChild;
    canvas.classList.toggle("fit", svg.width.baseVal.value <= canvas.clientWidth * 1.6);
  };
  if (canvas) {
    new ResizeObserver(fit).observe(canvas);
    fit();
  }

  // What a node of the graph leans on, and what leans on it.
  const near = (name) => {
    const names = new Set([name]);
    for (const edge of all(".graph .edge")) {
      const touches = name !== null && (edge.dataset.from === name || edge.dataset.to === name);
      edge.classList.toggle("near", touches);
      if (touches) names.add(edge.dataset.from).add(edge.dataset.to);
    }
    for (const node of nodes) node.classList.toggle("near", name !== null && names.has(node.dataset.node));
  };
  for (const node of nodes) {
    const target = node.closest("a") || node;
    for (const event of ["mouseenter", "focus"]) target.addEventListener(event, () => near(node.dataset.node));
    for (const event of ["mouseleave", "blur"]) target.addEventListener(event, () => near(null));
  }

  // Buttons and fields.
  if (one("text")) {
    one("text").addEventListener("input", filter);
    one("text").form.addEventListener("change", filter);
    one("text").form.addEventListener("submit", (event) => event.preventDefault());
  }
  one("view").addEventListener("click", toggleView);
  one("theme").addEventListener("click", toggleTheme);
  one("fold").addEventListener("click", fold);
  one("keys").addEventListener("click", () => one("help").showModal());
  for (const card of cards) card.addEventListener("toggle", showFold);
  showFold();
  for (const button of all(".copy")) {
    button.addEventListener("click", async () => {
      const source = one(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      } catch {
        getSelection().selectAllChildren(source);
      }
    });
  }

  // Keys.
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: fold,
    v: toggleView,
    t: toggleTheme,
    g: () => one("graph")?.scrollIntoView({ behavior: "instant" }),
    "/": () => one("text")?.focus(),
    "?": () => one("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("help").open) return;
    const field = event.target.closest && event.target.closest("input[type=search], select");
    if (field) {
      if (event.key === "Escape") {
        if (field.id === "text") field.value = "";
        filter();
        field.blur();
      }
      return;
    }
    const does = keys[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });

  // On paper everything is open.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const it of closed) it.open = true;
  });
  addEventListener("afterprint", () => {
    for (const it of closed) it.open = false;
  });

  follow();
})();
