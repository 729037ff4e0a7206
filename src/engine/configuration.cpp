#include "engine/configuration.h"

#include "pg/spi.h"

namespace etl {

namespace {

std::map<std::string, int> read_layers(plan::Catalog* catalog) {
  static pg::Statement read{"SELECT layer, execution = 'sequence' FROM setup.layers ORDER BY position", {}};
  const pg::Rows rows = read.run();
  std::map<std::string, int> places;
  for (int i = 0; i < rows.size(); ++i) {
    catalog->layers.push_back({rows.text(i, 0), rows.boolean(i, 1)});
    places[catalog->layers.back().name] = i;
  }
  return places;
}

}  // namespace

Configuration read_configuration(Oid caller) {
  static pg::Statement read_jobs{
      "SELECT layer, job_name, load_order, depends_on, is_enabled, pg_has_role($1, owner_oid, 'MEMBER') "
      "FROM setup.load_jobs ORDER BY layer, job_name",
      {OIDOID}};
  static pg::Statement read_config{"SELECT config_key, config_value FROM setup.etl_config", {}};

  Configuration configuration;
  const std::map<std::string, int> layers = read_layers(&configuration.catalog);
  const pg::Rows jobs = read_jobs.run({pg::value(caller)});
  for (int i = 0; i < jobs.size(); ++i) {
    const auto layer = layers.find(jobs.text(i, 0));
    if (layer == layers.end()) continue;  // made since the layers were read
    plan::Job job;
    job.layer = layer->second;
    job.name = jobs.text(i, 1);
    job.load_order = jobs.int4(i, 2);
    job.depends_on = jobs.texts(i, 3);
    job.enabled = jobs.boolean(i, 4);
    job.permitted = jobs.boolean(i, 5);
    configuration.catalog.jobs.push_back(std::move(job));
  }
  const pg::Rows config = read_config.run();
  for (int i = 0; i < config.size(); ++i) configuration.config[config.text(i, 0)] = config.text(i, 1);
  return configuration;
}

std::vector<JobDetail> read_details(const plan::Catalog& catalog, const plan::Blueprint& blueprint) {
  static pg::Statement read{
      "SELECT wanted.no, j.owner, j.owner_oid, j.table_name, j.file_path, j.command, j.transaction, j.discovered_as, "
      "j.location, j.load_mode, j.key_columns, j.rescue_column, j.provenance, "
      "CASE WHEN j.resources <> '{}' THEN ARRAY(SELECT CASE WHEN r.capacity IS NULL "
      "THEN format('resource \"%s\" does not exist', key) "
      "ELSE format('it takes %s units of resource \"%s\", which has %s', value::numeric::integer, key, r.capacity) END "
      "FROM jsonb_each_text(j.resources) LEFT JOIN setup.resources r ON r.resource = key "
      "WHERE r.capacity IS NULL OR r.capacity < value::numeric::integer) END, "
      "(SELECT c.crawler_name FROM setup.crawler_settings c "
      "WHERE c.crawler_name = j.crawler AND c.owner_oid = j.owner_oid), j.on_bad_row = 'reject' "
      "FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted(layer, job_name, no) "
      "CROSS JOIN LATERAL (SELECT * FROM setup.load_jobs k "
      "WHERE k.layer = wanted.layer AND k.job_name = wanted.job_name OFFSET 0) j",
      {TEXTARRAYOID, TEXTARRAYOID}};
  std::vector<std::string> layers;
  std::vector<std::string> names;
  for (const plan::Step& step : blueprint.steps) {
    const plan::Job& job = catalog.jobs[static_cast<size_t>(step.job)];
    layers.push_back(catalog.layers[static_cast<size_t>(job.layer)].name);
    names.push_back(job.name);
  }
  const pg::Rows rows = read.run({pg::text_array(layers), pg::text_array(names)});
  std::vector<JobDetail> details(names.size());
  for (int i = 0; i < rows.size(); ++i) {
    JobDetail& detail = details[static_cast<size_t>(rows.int8(i, 0) - 1)];
    detail.owner = rows.text(i, 1);
    detail.owner_oid = rows.oid(i, 2);
    detail.table_name = rows.text(i, 3);
    detail.file_path = rows.text(i, 4);
    detail.command = rows.text(i, 5);
    detail.transaction = rows.text(i, 6);
    detail.discovered_as = rows.text(i, 7);
    detail.location = rows.text(i, 8);
    detail.load_mode = rows.text(i, 9);
    detail.key_columns = rows.texts(i, 10);
    detail.rescue_column = rows.text(i, 11);
    detail.provenance = rows.boolean(i, 12);
    detail.lacking = rows.texts(i, 13);
    detail.crawler = rows.text(i, 14);
    detail.puts_rows_aside = rows.boolean(i, 15);
  }
  return details;
}

std::map<std::pair<std::string, std::string>, Oid> read_discoverable(const std::string& layer) {
  static pg::Statement read{"SELECT job_name, discovered_as, owner_oid FROM setup.discoverable_jobs($1)", {TEXTOID}};
  const pg::Rows rows = read.run({pg::value(layer)});
  std::map<std::pair<std::string, std::string>, Oid> owners;
  for (int i = 0; i < rows.size(); ++i) owners[{rows.text(i, 0), rows.text(i, 1)}] = rows.oid(i, 2);
  return owners;
}

}  // namespace etl
