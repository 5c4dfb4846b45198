"use strict";
// Goes on when every client has loaded its logout address; after five seconds without those that do not answer.
{
  const way = document.getElementById("continue");
  if (way !== null) {
    const goOn = () => location.replace(way.href);
    setTimeout(goOn, 5000);
    if (document.readyState === "complete") {
      goOn();
    } else {
      window.addEventListener("load", goOn);
    }
  }
}
