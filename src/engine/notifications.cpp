#include "engine/notifications.h"

namespace etl::notifications {

void publish(const std::string& topic, const std::string& subject, const std::string& message, const RunKey& run,
             StepId step) {
  static pg::Statement insert{
      "WITH row AS (INSERT INTO setup.notifications (topic, subject, message, run_id, layer, job_name, owner_oid) "
      "SELECT $1, $2, $3, s.run_id, s.layer, s.job_name, s.owner_oid FROM setup.run_steps s "
      "WHERE s.run_id = $4 AND s.run_at = $5 AND s.step_id = $6 RETURNING notification_id) "
      "SELECT pg_notify('etl_orchestrator', json_build_object('topic', $1, 'notification_id', notification_id)::text) "
      "FROM row",
      {TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, INT4OID}};
  insert.run({pg::value(topic), pg::value(subject), pg::value(message), pg::value(run.id), pg::timestamp_value(run.at),
              pg::value(step)});
}

int64_t publish(const Message& message, RunId run, const std::string& machine, const std::string& state, Oid owner) {
  static pg::Statement insert{
      "WITH row AS (INSERT INTO setup.notifications (topic, subject, message, attributes, run_id, layer, job_name, "
      "owner_oid) VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $8) RETURNING notification_id) "
      "SELECT notification_id, pg_notify('etl_orchestrator', json_build_object('topic', $1, 'notification_id', "
      "notification_id)::text) FROM row",
      {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, OIDOID}};
  return insert
      .run({pg::value(message.topic), pg::value(message.subject), pg::value(message.text),
            pg::value(message.attributes), pg::value(run), pg::value(machine), pg::value(state), pg::value(owner)})
      .int8(0, 0);
}

}  // namespace etl::notifications
