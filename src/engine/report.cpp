#include "engine/report.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace etl::report {

namespace {

constexpr int kLineWidth = 71;  // of 80 columns psql takes 9 for "NOTICE:  "
constexpr int kWidestJob = 28;

int width(const std::string& text) {
  return pg_mbstrlen_with_len(text.data(), static_cast<int>(text.size()));
}

std::string padded(const std::string& text, int to) {
  return text + std::string(static_cast<size_t>(std::max(to - width(text), 0)), ' ');
}

// The first line of a text, cut to so many characters.
std::string cut(const std::string& text, int to) {
  std::string line = text.substr(0, text.find('\n'));
  if (width(line) <= to) return line;
  const int bytes = pg_mbcharcliplen(line.data(), static_cast<int>(line.size()), std::max(to - 3, 0));
  return line.substr(0, static_cast<size_t>(bytes)) + "...";
}

}  // namespace

std::string duration(double milliseconds) {
  const auto seconds = static_cast<int64_t>(milliseconds / 1000);
  if (milliseconds < 1000) return pg::format("%.0f ms", milliseconds);
  if (seconds < 60) return pg::format("%.2f s", milliseconds / 1000);
  if (seconds < 3600)
    return pg::format("%lld min %02lld s", static_cast<long long>(seconds / 60), static_cast<long long>(seconds % 60));
  return pg::format("%lld h %02lld min", static_cast<long long>(seconds / 3600),
                    static_cast<long long>(seconds / 60 % 60));
}

std::vector<std::string> plan_lines(const PlannedRun& run) {
  std::vector<std::string> lines;
  int layer = -1;
  for (const PlannedStep& step : run.steps) {
    const plan::Layer& its_layer = run.layers[static_cast<size_t>(step.layer)];
    if (step.layer != layer) {
      layer = step.layer;
      lines.push_back(its_layer.name + (its_layer.sequence ? ", in sequence:" : ", in parallel:"));
    }
    std::string after;
    for (const int parent : step.depends_on) {
      const PlannedStep& other = run.steps[static_cast<size_t>(parent)];
      const std::string name =
          other.layer == step.layer ? other.job : run.layers[static_cast<size_t>(other.layer)].name + "." + other.job;
      after += (after.empty() ? "" : ", ") + name;
    }
    lines.push_back("  " + step.job + (after.empty() ? "" : " after " + after));
    lines.push_back("    " +
                    (step.file.empty() ? cut(step.command, kLineWidth - 4) : step.table + " from " + step.file));
  }
  return lines;
}

Formatter::Formatter(const PlannedRun& run) {
  for (const plan::Layer& layer : run.layers) layer_width_ = std::max(layer_width_, width(layer.name));
  for (const PlannedStep& step : run.steps) job_width_ = std::max(job_width_, width(step.job));
  job_width_ = std::min(job_width_, kWidestJob);
}

std::string Formatter::job_line(const log_store::Line& line) const {
  const std::string start = padded(line.layer, layer_width_) + "  " + padded(line.job, job_width_) + "  ";
  if (line.status == "OK") {
    std::string text = start + pg::format("OK %12lld %-4s  %10s", static_cast<long long>(line.rows),
                                          line.rows == 1 ? "row" : "rows", duration(line.milliseconds).c_str());
    if (!line.message.empty()) text += "\n" + line.message;
    return text;
  }
  const std::string again = line.retry_at != 0 ? ", again" : "";
  const std::string status = start + padded(line.status + again, 9) + "  ";
  return status + cut(line.message, std::max(kLineWidth - width(status), 20));
}

std::string task_line(const log_store::Line& line) {
  const std::string start = padded(line.job, kWidestJob) + "  ";
  if (line.status == "OK") return start + "OK  " + duration(line.milliseconds);
  const std::string status = start + line.status + "  ";
  return status + cut(line.message, std::max(kLineWidth - width(status), 20));
}

void Tally::add(const log_store::Line& line) {
  if (line.status == "OK") {
    ++ok;
    rows += line.rows;
  } else if (line.status == "SKIPPED") {
    ++skipped;
  } else {
    ++failed;
  }
}

std::string Tally::text() const {
  if (ok == total) return pg::count_of(total, "job", "jobs") + ", " + pg::count_of(rows, "row", "rows");
  std::string text = pg::count_of(total, "job", "jobs") + ": " + std::to_string(ok) + " OK";
  if (failed > 0) text += ", " + std::to_string(failed) + " failed";
  if (skipped > 0) text += ", " + std::to_string(skipped) + " skipped";
  return text;
}

}  // namespace etl::report
