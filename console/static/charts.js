// Draws what stands in data-trend: how much came, how much of it was refused, and how long the rest took.
"use strict";

const drawn = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--tblr-${name}`).trim();
}

function bars(name, values, shade) {
  return { name, type: "bar", stack: "came", data: values, itemStyle: { color: colour(shade) }, barCategoryGap: "15%" };
}

function draw(place) {
  const trend = JSON.parse(place.dataset.trend);
  const words = trend.words;
  const chart = echarts.init(place);
  const axis = { type: "value", minInterval: 1, splitNumber: 2, axisLabel: { fontSize: 10 } };
  chart.setOption({
    animation: false,
    grid: { left: 36, right: 44, top: 8, bottom: 20 },
    // Drawn, not put into the page as HTML: the policy allows no styles there.
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, textStyle: { fontSize: 11 } },
    xAxis: { type: "category", data: trend.times, axisLabel: { fontSize: 10, formatter: (at) => at.slice(5) } },
    yAxis: [axis, { ...axis, splitLine: { show: false } }],
    series: [
      bars(words.accepted, trend.accepted, "primary"),
      bars(words.refused, trend.refused, "danger"),
      {
        name: words.delay, type: "line", yAxisIndex: 1, data: trend.delay, connectNulls: false, symbolSize: 4,
        lineStyle: { width: 1.5, color: colour("orange") }, itemStyle: { color: colour("orange") },
      },
    ],
  });
  drawn.set(place, chart);
}

function drawAll() {
  for (const [place, chart] of drawn) {
    if (!place.isConnected) {
      chart.dispose();
      drawn.delete(place);
    }
  }
  for (const place of document.querySelectorAll("[data-trend]")) {
    if (!drawn.has(place)) draw(place);
  }
}

drawAll();
document.addEventListener("htmx:after:swap", drawAll);
window.addEventListener("resize", () => {
  for (const chart of drawn.values()) chart.resize();
});
