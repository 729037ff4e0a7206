// Crawlers, by the names and in the shapes of the service that crawls elsewhere. A crawl runs inside the task that
// starts it: what it makes is there when the task has ended, and with a task that fails nothing of it.

#include "engine/task_actions.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/crawler_catalog.h"

namespace etl {

namespace {

using states::StateError;

struct NamedCrawler {
  std::string name;
  std::string location;
  std::string layer;
  std::string path;
  std::string table_prefix;
  std::string owner;
  std::vector<std::string> exclusions;
  TimestampTz last_crawl_at = 0;  // 0: never
  std::string last_status;
  std::string last_message;
};

// One that the role may see, with the engine's rights. StateError (Glue.EntityNotFoundException) where there is none.
NamedCrawler find_crawler(const std::string& name, Oid role) {
  static pg::Statement find{
      "SELECT location, layer, path, table_prefix, owner, exclusions, last_crawl_at, last_status, last_message "
      "FROM setup.crawler_settings WHERE crawler_name = $1 AND pg_has_role($2, owner_oid, 'MEMBER')",
      {TEXTOID, OIDOID}};
  const pg::Rows row = find.run({pg::value(name), pg::value(role)});
  if (row.size() == 0)
    throw StateError("Glue.EntityNotFoundException", "Crawler with name " + name + " does not exist");
  return {name,           row.text(0, 0),  row.text(0, 1),      row.text(0, 2), row.text(0, 3),
          row.text(0, 4), row.texts(0, 5), row.timestamp(0, 6), row.text(0, 7), row.text(0, 8)};
}

NamedCrawler named_crawler(const TaskCall& call) {
  NamedCrawler crawler;
  const std::string name = call.required_text("Name");
  const Oid role = GetUserId();
  in_engine(call.block, [&] { crawler = find_crawler(name, role); });
  return crawler;
}

TaskResult start_crawler(const TaskCall& call) {
  const NamedCrawler crawler = named_crawler(call);
  try {
    call_sql(call.block,
             "SELECT pg_catalog.to_jsonb(pg_catalog.count(*)) FROM setup.crawl(pg_catalog.jsonb_extract_path_text($1, "
             "'Name'))",
             {{"Name", crawler.name}});
  } catch (const pg::Error& error) {
    if (error.sqlstate() != ERRCODE_OBJECT_IN_USE) throw;
    throw StateError("Glue.CrawlerRunningException", "Crawler with name " + crawler.name + " has already started");
  }
  return {Json::object(), false, 0, std::nullopt};
}

Json last_crawl(const TaskCall& call, const NamedCrawler& crawler) {
  const bool is_ok = crawler.last_status == "OK";
  Json last = {{"Status", is_ok ? "SUCCEEDED" : "FAILED"}, {"StartTime", shown_time(call, crawler.last_crawl_at)}};
  if (!is_ok) last["ErrorMessage"] = crawler.last_message;
  return last;
}

TaskResult get_crawler(const TaskCall& call) {
  const NamedCrawler crawler = named_crawler(call);
  bool is_running = false;
  in_engine(call.block, [&] { is_running = is_crawling(crawler.name); });
  const std::string path = crawler.location + (crawler.path.empty() ? "" : "/" + crawler.path);
  Json shown = {{"Name", crawler.name},
                {"State", is_running ? "RUNNING" : "READY"},
                {"DatabaseName", crawler.layer},
                {"TablePrefix", crawler.table_prefix},
                {"Role", crawler.owner},
                {"Targets", {{"S3Targets", Json::array({{{"Path", path}, {"Exclusions", crawler.exclusions}}})}}}};
  if (crawler.last_crawl_at != 0) shown["LastCrawl"] = last_crawl(call, crawler);
  return {{{"Crawler", std::move(shown)}}, false, 0, std::nullopt};
}

// It runs in somebody's session, whose statement is cancelled if the machine's owner may do that.
TaskResult stop_crawler(const TaskCall& call) {
  const NamedCrawler crawler = named_crawler(call);
  std::vector<int> holders;
  in_engine(call.block, [&] { holders = crawling_processes(crawler.name); });
  if (holders.empty())
    throw StateError("Glue.CrawlerNotRunningException", "Crawler with name " + crawler.name + " is not running");
  for (const int pid : holders)
    call_sql(call.block,
             "SELECT pg_catalog.to_jsonb(pg_catalog.pg_cancel_backend("
             "pg_catalog.jsonb_extract_path_text($1, 'pid')::pg_catalog.int4))",
             {{"pid", pid}});
  return {Json::object(), false, 0, std::nullopt};
}

}  // namespace

const TaskActions& crawler_actions() {
  static const TaskActions actions = {
      {"aws-sdk:glue:startCrawler", {start_crawler}}, {"glue:startCrawler", {start_crawler}},
      {"aws-sdk:glue:getCrawler", {get_crawler}},     {"glue:getCrawler", {get_crawler}},
      {"aws-sdk:glue:stopCrawler", {stop_crawler}},   {"glue:stopCrawler", {stop_crawler}},
  };
  return actions;
}

}  // namespace etl
