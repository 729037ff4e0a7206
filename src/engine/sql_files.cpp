// The SQL surface of locations and the files in them.

#include "engine/arguments.h"
#include "engine/file_report.h"
#include "engine/location_catalog.h"
#include "engine/locations.h"
#include "engine/watch_posts.h"
#include "locations/directory.h"
#include "pg/boundary.h"

extern "C" {
#include "commands/trigger.h"
}

namespace etl {

namespace {

pg::Value argument_or_null(FunctionCallInfo fcinfo, int number) {
  return PG_ARGISNULL(number) ? pg::null_value() : pg::Value(PG_GETARG_DATUM(number));
}

LocationSettings location_settings(FunctionCallInfo fcinfo) {
  LocationSettings settings;
  settings.url = text_argument(fcinfo, 1);
  settings.file_types = texts_argument(fcinfo, 2, "file_types");
  settings.name_pattern = text_argument(fcinfo, 3);
  settings.exclusions = texts_argument(fcinfo, 4, "exclusions");
  settings.min_size = argument_or_null(fcinfo, 5);
  settings.max_size = argument_or_null(fcinfo, 6);
  settings.stable_for = argument_or_null(fcinfo, 7);
  settings.watch = argument_or_null(fcinfo, 8);
  settings.rescan_interval = argument_or_null(fcinfo, 9);
  settings.writable = argument_or_null(fcinfo, 10);
  settings.retention = argument_or_null(fcinfo, 11);
  return settings;
}

// The location that the first argument names, if the caller may use it.
Location usable_location(FunctionCallInfo fcinfo) {
  Location location = find_location(required_text(fcinfo, 0));
  require_use(location, GetUserId());
  return location;
}

std::string pattern_argument(FunctionCallInfo fcinfo, int number) {
  const std::string pattern = text_argument(fcinfo, number).value_or("**");
  try {
    return locations::normalized(pattern);
  } catch (const locations::FileError& error) {
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("pattern \"%s\" %s", pattern.c_str(), error.what()));
  }
}

pg::Value type_value(const std::optional<locations::FileType>& type) {
  return type ? pg::value(locations::name_of(*type)) : pg::null_value();
}

void return_files(FunctionCallInfo fcinfo, const std::vector<locations::Found>& files) {
  std::vector<std::vector<pg::Value>> rows;
  rows.reserve(files.size());
  for (const locations::Found& it : files) {
    const bool is_file = it.entry.problem.empty();
    rows.push_back({pg::value(it.entry.path), is_file ? pg::value(it.entry.facts.size) : pg::null_value(),
                    is_file ? pg::timestamp_value(timestamp_of(it.entry.facts.modified_ns)) : pg::null_value(),
                    type_value(is_file ? locations::file_type_of(it.entry.path) : std::nullopt),
                    pg::value(!it.refusal.has_value()), pg::text_or_null(it.refusal.value_or(""))});
  }
  return_rows(fcinfo, rows);
}

template <typename T>
pg::Value known(const std::optional<T>& fact) {
  return fact ? pg::value(*fact) : pg::null_value();
}

void return_report(FunctionCallInfo fcinfo, const locations::FileReport& it) {
  return_rows(fcinfo,
              {{pg::value(it.findings.empty()), pg::value(it.exists), pg::value(it.is_readable), known(it.is_accepted),
                type_value(it.type), it.facts ? pg::value(it.facts->size) : pg::null_value(),
                it.facts ? pg::timestamp_value(timestamp_of(it.facts->modified_ns)) : pg::null_value(),
                it.columns ? pg::text_array(*it.columns) : pg::null_value(), known(it.header_matches),
                known(it.is_utf8), pg::text_array(it.findings)}});
}

}  // namespace

}  // namespace etl

extern "C" {

PG_FUNCTION_INFO_V1(etl_create_location);
PG_FUNCTION_INFO_V1(etl_drop_location);
PG_FUNCTION_INFO_V1(etl_grant_location);
PG_FUNCTION_INFO_V1(etl_revoke_location);
PG_FUNCTION_INFO_V1(etl_require_location_use);
PG_FUNCTION_INFO_V1(etl_location_files);
PG_FUNCTION_INFO_V1(etl_validate_file);
PG_FUNCTION_INFO_V1(etl_tell_watcher);

Datum etl_create_location(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::create_location(etl::required_text(fcinfo, 0), etl::location_settings(fcinfo)); });
  PG_RETURN_VOID();
}

Datum etl_drop_location(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::drop_location(etl::required_text(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_grant_location(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::grant_location(etl::required_text(fcinfo, 0), etl::required_text(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_revoke_location(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::revoke_location(etl::required_text(fcinfo, 0), etl::required_text(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_require_location_use(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::require_use(etl::find_location(*etl::text_argument(fcinfo, 0)), PG_GETARG_OID(1)); });
  PG_RETURN_VOID();
}

Datum etl_location_files(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    const etl::Location location = etl::usable_location(fcinfo);
    etl::return_files(fcinfo, etl::list_files(location, etl::pattern_argument(fcinfo, 1)));
  });
  return Datum(0);
}

Datum etl_validate_file(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    const etl::Location location = etl::usable_location(fcinfo);
    etl::return_report(fcinfo, etl::validate_file(location, etl::required_text(fcinfo, 1),
                                                  etl::texts_argument(fcinfo, 2, "expected_columns")));
  });
  return Datum(0);
}

// Trigger of tables that a watcher goes by; its argument says whether one is to be started.
Datum etl_tell_watcher(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("tell_watcher() is a trigger")));
  const Trigger* trigger = reinterpret_cast<TriggerData*>(fcinfo->context)->tg_trigger;
  const bool starts = trigger->tgnargs > 0 && strcmp(trigger->tgargs[0], "start") == 0;
  etl::watch_posts::call_at_commit(starts ? etl::watch_posts::Call::kStart : etl::watch_posts::Call::kTell);
  return PointerGetDatum(nullptr);
}
}
