// AWS' runtime client speaks with the Runtime API through a native addon, which has to be compiled with a curl of its own.
// This stands in for the addon alone: the same four calls with node:http. Everything else is the client as AWS ships it.
const Module = require('node:module');
const http = require('node:http');
const process = require('node:process');

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let last = Promise.resolve();

function call(method, path, body, headers = {}) {
  const send = () =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const options = { hostname, port, method, agent, path: `/2018-06-01/runtime${path}` };
      const request = http.request({ ...options, headers: { ...headers, ...length } }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part) => (text += part));
        response.on('end', () => resolve({ bodyJson: text, headers: response.headers }));
      });
      request.on('error', reject);
      request.end(body);
    });
  last = last.then(send, send);
  return last;
}

const addon = {
  initializeClient() {},
  // With the processor's time up to here, in microseconds: unlike the clock's it is the same on a busy machine.
  next: () => {
    const { user, system } = process.cpuUsage();
    return call('GET', '/invocation/next', undefined, { 'x-cpu-time': String(user + system) });
  },
  done: (id, body) => void call('POST', `/invocation/${id}/response`, body),
  error: (id, body) => void call('POST', `/invocation/${id}/error`, body),
};

const load = Module._load;
Module._load = function (request, ...rest) {
  return request.endsWith('/rapid-client.node') ? addon : load.call(this, request, ...rest);
};
