// Drives services of a daemon through Google's own client for Node.js, over
// REST. Arguments: port, file of the token, image, and port of the ingress.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import assert from 'node:assert/strict';
import { protos, v2 } from '@google-cloud/run';
import { OAuth2Client } from 'google-auth-library';

const [port, tokenFile, image, ingress] = process.argv.slice(2);
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: readFileSync(tokenFile, 'utf8').trim() });
const options = { fallback: true, protocol: 'http', apiEndpoint: 'localhost', port: Number(port), authClient };
const services = new v2.ServicesClient(options);
const revisions = new v2.RevisionsClient(options);

const { State } = protos.google.cloud.run.v2.Condition;
const parent = 'projects/node/locations/us-east1';
const name = `${parent}/services/from-node`;
// A refusal: some versions of the client give its gRPC code, others its HTTP one.
const refusal = (...codes) => (err) => codes.includes(Number(err.code));
const template = (greeting) => ({
  containers: [{ image, env: [{ name: 'GREETING', value: greeting }], resources: { limits: { cpu: '1', memory: '256Mi' } } }],
});
// What a service says of its environment; its host is of this machine.
const ask = (uri) => new Promise((resolve, reject) => {
  const { host } = new URL(uri);
  http.get({ host: '127.0.0.1', port: ingress, path: '/env', headers: { host } }, (answer) => {
    let text = '';
    answer.on('data', (part) => { text += part; });
    answer.on('end', () => resolve({ code: answer.statusCode, text }));
  }).on('error', reject);
});

const [create] = await services.createService({ parent, serviceId: 'from-node', service: { template: template('hello') } });
const [service] = await create.promise();
assert.equal(service.name, name);
assert.equal(service.terminalCondition.state, State.CONDITION_SUCCEEDED);
assert.equal((await ask(service.uri)).code, 403);

const policy = { bindings: [{ role: 'roles/run.invoker', members: ['allUsers'] }] };
await services.setIamPolicy({ resource: name, policy });
const [stored] = await services.getIamPolicy({ resource: name });
assert.deepEqual(stored.bindings.map((b) => [b.role, b.members]), [['roles/run.invoker', ['allUsers']]]);
const first = await ask(service.uri);
assert.equal(first.code, 200);
assert.equal(JSON.parse(first.text).GREETING, 'hello');

await assert.rejects(
  services.createService({ parent, serviceId: 'from-node', service: { template: template('again') } }),
  refusal(6, 409), // ALREADY_EXISTS
);

const [masked] = await services.updateService({ service: { name, labels: { team: 'web' } }, updateMask: { paths: ['labels'] } });
const [labelled] = await masked.promise();
assert.equal(labelled.labels.team, 'web');
assert.equal(labelled.latestReadyRevision, service.latestReadyRevision);

const [update] = await services.updateService({ service: { name, etag: labelled.etag, template: template('again') } });
const [updated] = await update.promise();
assert.notEqual(updated.latestReadyRevision, service.latestReadyRevision);
assert.equal(JSON.parse((await ask(updated.uri)).text).GREETING, 'again');

const [listed] = await revisions.listRevisions({ parent: name });
assert.deepEqual(listed.map((r) => r.name), [updated.latestReadyRevision, service.latestReadyRevision]);
const [dropped] = await revisions.deleteRevision({ name: service.latestReadyRevision });
await dropped.promise();
await assert.rejects(revisions.getRevision({ name: service.latestReadyRevision }), refusal(5, 404)); // NOT_FOUND

await assert.rejects(
  services.createService({ parent, serviceId: 'bad', service: { template: { ...template('x'), maxInstanceRequestConcurrency: 1001 } } }),
  (err) => refusal(3, 400)(err) && /maxInstanceRequestConcurrency/i.test(err.message), // INVALID_ARGUMENT
);

const [all] = await services.listServices({ parent });
assert.deepEqual(all.map((s) => s.name), [name]);
const [removal] = await services.deleteService({ name });
const [removed] = await removal.promise();
assert.equal(removed.name, name);
await assert.rejects(services.getService({ name }), refusal(5, 404)); // NOT_FOUND
assert.equal((await ask(service.uri)).code, 404);
console.log('all well');
