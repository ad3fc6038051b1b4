// Prints what Google's libraries for Node.js see of the metadata server.
// Argument: the audience of an identity token.
import gcp from 'gcp-metadata';
import { GoogleAuth } from 'google-auth-library';

const [audience] = process.argv.slice(2);
const auth = new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] });
const client = await auth.getClient();
const headers = await client.getRequestHeaders();
const url = new URL('/nothing', audience);
const caller = await (await auth.getIdTokenClient(audience)).getRequestHeaders(url);
const seen = {
  available: await gcp.isAvailable(),
  project: await gcp.project('project-id'),
  authProject: await auth.getProjectId(),
  number: await gcp.project('numeric-project-id'),
  region: await gcp.instance('region'),
  zone: await gcp.instance('zone'),
  id: await gcp.instance('id'),
  email: await gcp.instance('service-accounts/default/email'),
  universe: await gcp.universe('universe-domain'),
  authUniverse: await auth.getUniverseDomain(),
  accessToken: (await client.getAccessToken()).token,
  expiresIn: (client.credentials.expiry_date - Date.now()) / 1000,
  authorization: headers.get('authorization'),
  idToken: caller.get('authorization').replace('Bearer ', ''),
};
process.env.GCE_METADATA_HOST = 'metadata.google.internal';
seen.byName = await gcp.project('project-id');
console.log(Buffer.from(JSON.stringify(seen)).toString('base64'));
