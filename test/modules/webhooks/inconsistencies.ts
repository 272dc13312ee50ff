/** By rule of src/modules/webhooks/consistency.ts: what breaks it. */
export const inconsistencies = {
  wokenEndpoints: `
    with endpoint as (
      insert into webhook_endpoints (org_id, url, event_types, sealed_secret)
      select id, 'https://hooks.example.com/', '{webhook.test}', '' from organisations limit 1 returning org_id, id
    )
    insert into webhook_deliveries (org_id, endpoint_id, message_id, event_type, body)
    select org_id, id, 'msg_1', 'webhook.test', '{}' from endpoint`,
};
