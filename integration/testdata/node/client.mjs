// Drives a daemon through Google's own client for Node.js, over REST.
// Arguments: port, file of the token, image.
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { protos, v2 } from '@google-cloud/run';
import { OAuth2Client } from 'google-auth-library';

const [port, tokenFile, image] = process.argv.slice(2);
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: readFileSync(tokenFile, 'utf8').trim() });
const options = { fallback: true, protocol: 'http', apiEndpoint: 'localhost', port: Number(port), authClient };
const jobs = new v2.JobsClient(options);
const executions = new v2.ExecutionsClient(options);
const tasks = new v2.TasksClient(options);

const { State } = protos.google.cloud.run.v2.Condition;
const parent = 'projects/node/locations/us-east1';
const name = `${parent}/jobs/from-node`;
// A refusal: some versions of the client give its gRPC code, others its HTTP one.
const refusal = (...codes) => (err) => codes.includes(Number(err.code));
const container = (script) => ({
  image, args: [script], resources: { limits: { cpu: '0.5', memory: '128Mi' } },
});

const [create] = await jobs.createJob({
  parent, jobId: 'from-node',
  job: { template: { taskCount: 3, template: { maxRetries: 0, containers: [container('echo $GREETING')] } } },
});
const [job] = await create.promise();
assert.equal(job.name, name);
assert.equal(job.terminalCondition.state, State.CONDITION_SUCCEEDED);

await assert.rejects(
  jobs.createJob({ parent, jobId: 'from-node', job: { template: { template: { containers: [container('true')] } } } }),
  refusal(6, 409), // ALREADY_EXISTS
);

const [run] = await jobs.runJob({
  name, overrides: { taskCount: 2, containerOverrides: [{ env: [{ name: 'GREETING', value: 'hello' }] }] },
});
const [execution] = await run.promise();
assert.equal(execution.succeededCount, 2);

const [update] = await jobs.updateJob({
  job: { name, etag: job.etag, template: { taskCount: 3, template: { maxRetries: 0, containers: [container('exit 3')] } } },
});
const [updated] = await update.promise();
assert.equal(String(updated.generation), '2');

const [failing] = await jobs.runJob({ name });
await assert.rejects(failing.promise(), refusal(10)); // ABORTED
const [listed] = await executions.listExecutions({ parent: name });
assert.deepEqual(listed.map((x) => x.failedCount), [3, 0]);
const [failed] = await tasks.listTasks({ parent: listed[0].name });
assert.deepEqual(failed.map((t) => t.lastAttemptResult.exitCode), [3, 3, 3]);

await assert.rejects(
  jobs.createJob({ parent, jobId: 'bad', job: { template: { taskCount: 10001, template: { containers: [container('true')] } } } }),
  (err) => refusal(3, 400)(err) && /taskCount/.test(err.message), // INVALID_ARGUMENT
);

const [removal] = await jobs.deleteJob({ name });
const [removed] = await removal.promise();
assert.equal(removed.name, name);
await assert.rejects(jobs.getJob({ name }), refusal(5, 404)); // NOT_FOUND
console.log('all well');
