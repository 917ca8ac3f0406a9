import { render } from "preact";
import { App } from "./app";
import "./style.css";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no element with the id app");

render(
  // An unbound fetch refuses to run as anything but a method of the window.
  <App fetch={window.fetch.bind(window)} storage={window.sessionStorage} now={Date.now} />,
  root,
);
