// Says so when the portal stops answering, instead of showing old figures as if they were new.
"use strict";
const silent = () => document.body.classList.add("silent");
const heard = () => document.body.classList.remove("silent");
document.addEventListener("htmx:sendError", silent);
document.addEventListener("htmx:responseError", silent);
document.addEventListener("htmx:timeout", silent);
document.addEventListener("htmx:afterOnLoad", heard);
