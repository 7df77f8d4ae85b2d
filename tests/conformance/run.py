#!/usr/bin/env python3
"""Runs official, unmodified SDKs against a running mock and counts what passes.

    azml-mock serve --listen 127.0.0.1:0 --ready-file ready.json --executor local &
    python3 run.py --ready ready.json [azureml-v1 azure-ai-ml databricks legacy-cli mlflow spark tracking] [--only TEXT] [--part LABEL ...] [--venvs DIR]

`cargo xtask conformance` does both. The suite spark needs AZML_MOCK and AZML_SPARK_PYTHON, too; see spark/spark_common.py. It and the suite tracking need
AZML_TEST_{NAME}, the test programs of the crate azml-tests that want servers. --only takes the parts with TEXT in their name, --part those with exactly this label.
--control turns the question around: with a ready file that leads nowhere each part has to fail, and passes if it does.

Needs python3.11 with pip, and the ready file that the mock writes (keys: url, tls_url, ca_file, tenant_id, client_id,
client_secret, subscription_id, resource_group, workspace_name, databricks_token, databricks_resource_group,
databricks_workspace_name, oidc_subject_token, cloud_name). Each part starts from a reset world.
Prints one line a part and, last, 'SUITE: N passed, M failed' a suite; the exit status is the number of failed parts.
"""
import argparse, concurrent.futures, json, os, pathlib, shutil, signal, socket, ssl, subprocess, sys, tempfile, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
A = argparse.ArgumentParser(); A.add_argument("suites", nargs="*"); A.add_argument("--ready", required=True)
A.add_argument("--only", default=""); A.add_argument("--part", action="append", default=[], help="the label of one part, as printed"); A.add_argument("--venvs", default=HERE.parents[1] / "target" / "venv"); A.add_argument("-v", action="store_true"); A.add_argument("--proof", help="a file to which the operations go that a passing part has used"); A.add_argument("--control", action="store_true", help="the ready file leads nowhere, and each part has to fail")
args = A.parse_args(); R = json.load(open(args.ready)); URL = R["url"].rstrip("/"); TLS = R["tls_url"].rstrip("/")
POOL = concurrent.futures.ThreadPoolExecutor(2); CONTROL_SECONDS = 30
DEAD = "http://127.0.0.1:9"                      # a proxy that refuses: nothing may leave the machine
OUTCOMES = [{"notebook_path": "/fail", "result": "FAILED", "error": "this notebook fails"}, {"notebook_path": "/slow", "result": "RUNNING"},
            {"task": "*", "result": "SUCCESS", "log": "hello from the job"}]

def http(method, path, body=None, token=None):
    q = urllib.request.Request(URL + path, method=method, data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    if token: q.add_header("Authorization", "Bearer " + token)
    return urllib.request.urlopen(q, timeout=30).read()

def venv(name, requirements):
    d = pathlib.Path(args.venvs) / name; py = d / "bin" / "python"; stamp = d / "requirements.txt"
    want = (HERE / requirements).read_text()
    if not stamp.exists() or stamp.read_text() != want:
        print("setting up", d, flush=True); shutil.rmtree(d, ignore_errors=True); d.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", d], check=True)
        subprocess.run([py, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", HERE / requirements], check=True); stamp.write_text(want)
    return py

def base_env(work):
    e = {k: v for k, v in os.environ.items() if not k.upper().endswith("_PROXY") and not k.startswith(("AZURE", "AML_", "AZUREML", "DATABRICKS", "MLFLOW", "ARM_"))}
    e.update(HOME=str(work), AZURE_CONFIG_DIR=str(work / "azure"), REQUESTS_CA_BUNDLE=R["ca_file"], SSL_CERT_FILE=R["ca_file"], HTTPS_PROXY=DEAD, HTTP_PROXY=DEAD,
             https_proxy=DEAD, http_proxy=DEAD, NO_PROXY="127.0.0.1,localhost", no_proxy="127.0.0.1,localhost", PYTHONWARNINGS="ignore", MLFLOW_DISABLE_TELEMETRY="true")
    (work / "azure").mkdir(parents=True, exist_ok=True); return e

def control(label, cmd, env, cwd, passed):
    """Without a mock a part has to fail: one that passes, or says so, looks at nothing. Ending late is failing, too."""
    t = time.time(); p = subprocess.Popen(cmd, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try: out, rc = p.communicate(timeout=CONTROL_SECONDS)[0], p.returncode
    except subprocess.TimeoutExpired: os.killpg(p.pid, signal.SIGKILL); out, rc = p.communicate()[0], "timed out"
    good = not passed(rc, out or " ") and not any(l.endswith(" PASS") for l in (l.strip() for l in out.splitlines()))
    print("%-4s %-34s %3d checks %6.1fs" % ("PASS" if good else "FAIL", label, 1, time.time() - t), flush=True)
    if not good or args.v: print("\n".join("     | " + l for l in out.splitlines()[-25:]), flush=True)
    return good, 1

def run(label, cmd, env, cwd, timeout, passed, outcomes=()):
    """outcomes: rules that decide how matching tasks end, instead of executing them; without one the mock really executes."""
    if args.part and label not in args.part: return None
    if args.control: return POOL.submit(control, label, cmd, env, cwd, passed)
    http("POST", "/_mock/reset", {}); http("POST", "/_mock/outcomes", list(outcomes)); t = time.time()
    try: p = subprocess.run(cmd, env=env, cwd=cwd, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True); out, rc = p.stdout, p.returncode
    except subprocess.TimeoutExpired as x: out, rc = (x.stdout or b"").decode(errors="replace") if isinstance(x.stdout, bytes) else (x.stdout or ""), "timed out"
    lines = out.splitlines(); n = sum(l.startswith(("OK", "ok ", "[")) or (l.startswith("test ") and l.endswith(" ok")) for l in lines); good = passed(rc, out)
    print("%-4s %-34s %3d checks %6.1fs" % ("PASS" if good else "FAIL", label, n, time.time() - t), flush=True)
    if good and args.proof: prove(label)
    if not good or args.v: print("\n".join("     | " + l for l in lines[-(200 if args.v else 25):]), flush=True)
    return good, n

def prove(label):
    """Which operations the part has used, from the mock's journal (its last thousand exchanges)."""
    seen = {x["operation"] for x in json.loads(http("GET", "/_mock/journal"))["exchanges"] if x["operation"] and x["status"] < 500}
    with open(args.proof, "a") as f: f.writelines("%s\t%s\n" % (operation, label.split(" (")[0].removeprefix("flow_")) for operation in sorted(seen))

def parts(d, pattern): return [f for f in sorted((HERE / d).glob(pattern)) if args.only in f.stem and (not args.part or any(p.split(" (")[0] == f.stem for p in args.part))]

def through_proxy(e):
    """Real Azure host names, reached through the mock's own proxy: that and its certificate are all that a client knows of it."""
    for k in ("https_proxy", "http_proxy", "HTTP_PROXY", "NO_PROXY", "no_proxy", "ARM_CLOUD_METADATA_URL", "AZUREML_CURRENT_CLOUD"): e.pop(k, None)
    e.update(HTTPS_PROXY=URL)

def azureml_v1():
    py = venv("azureml-v1", "azureml-v1/requirements.txt")
    for f, proxy in [(f, proxy) for f in parts("azureml-v1", "flow_part*.py") for proxy in ([False, True] if f.stem in ("flow_part1", "flow_part2") else [False])]:
        w = pathlib.Path(tempfile.mkdtemp()); e = base_env(w)
        e.update(AML_BASE_URL=TLS, AML_WORK=str(w), AML_SUB=R["subscription_id"], AML_RG=R["resource_group"], AML_WS=R["workspace_name"], AML_TENANT=R["tenant_id"],
                 AML_CLIENT_ID=R["client_id"], AML_CLIENT_SECRET=R["client_secret"], AML_DBX_TOKEN=R["databricks_token"], AZUREML_CURRENT_CLOUD="AzureCloud",
                 ARM_CLOUD_METADATA_URL=TLS + "/metadata/endpoints?api-version=2019-05-01")
        if proxy: through_proxy(e)
        yield run(f.stem + (" (proxy)" if proxy else ""), [py, "-W", "ignore", f], e, w, 240, lambda rc, out: rc == 0 and " PASS" in (out.strip().splitlines() or [""])[-1], OUTCOMES)

def azure_ai_ml():
    py = venv("azure-ai-ml", "azure-ai-ml/requirements.txt")
    for f in parts("azure-ai-ml", "flow_[01][0-9]_*.py"):
        if f.stem == "flow_06_http_refused": continue
        for proxy in ([False, True] if "10_identity" in f.stem else [False]):
            w = pathlib.Path(tempfile.mkdtemp()); e = base_env(w)
            e.update(MOCK_BASE=TLS, MOCK_HTTP=URL, MOCK_MAGIC="0", MOCK_EXPECT_DEPLOYMENTS="1", AZURE_TENANT_ID=R["tenant_id"], AZURE_CLIENT_ID=R["client_id"], AZURE_CLIENT_SECRET=R["client_secret"],
                     AZURE_SUBSCRIPTION_ID=R["subscription_id"], AZUREML_RG=R["resource_group"], AZUREML_WS=R["workspace_name"], AZURE_AUTHORITY_HOST=TLS,
                     ARM_CLOUD_METADATA_URL=TLS + "/metadata/endpoints?api-version=2019-05-01")
            if "07_proxy" in f.stem or proxy:          # real Azure host names, everything through the mock's own proxy
                for k in ("https_proxy", "http_proxy", "NO_PROXY", "no_proxy"): e.pop(k)
                e.update(MOCK_PROXY=URL, HTTPS_PROXY=URL, HTTP_PROXY=URL); e.pop("ARM_CLOUD_METADATA_URL")
            use = py
            if "08_mlflow" in f.stem: e.update(AZURE_TENANT_ID="adfs", AZUREML_CURRENT_CLOUD=R.get("cloud_name", "AzureCloud")); use = venv("azureml-v1", "azureml-v1/requirements.txt")
            boot = "import sys,runpy;sys.path[:0]=[%r,%r];import prepare_v2;runpy.run_path(%r,run_name='__main__')" % (str(f.parent), str(HERE), str(f))
            e.update(READY=os.path.abspath(args.ready)); yield run(f.stem + (" (proxy)" if proxy else ""), [use, "-W", "ignore", "-c", boot], e, w, 240, lambda rc, out: rc == 0, OUTCOMES)

def databricks(): return databricks_sdk("databricks", 400)

def spark():
    yield from databricks_sdk("spark", 900)
    label = "pipelines_on_spark"
    if args.only not in label: return
    w = pathlib.Path(tempfile.mkdtemp()); yield run(label, *own_test(label, w, AZML_READY=os.path.abspath(args.ready)))

def own_test(name, w, **extra):
    """A test program of our own client."""
    e = base_env(w); e.update(extra, RUST_BACKTRACE="0")
    return [os.environ["AZML_TEST_" + name.upper()], "--test-threads", "1"], e, w, 300, lambda rc, out: rc == 0 and "test result: ok" in out

def databricks_sdk(suite, seconds):
    py = venv("databricks", "databricks/requirements.txt")
    for f in parts(suite, "flow_*.py"):
        if f.stem == "flow_common": continue
        w = pathlib.Path(tempfile.mkdtemp()); e = base_env(w)
        e.update(FIXTURES=str(HERE.parents[1] / "fixtures"), DATABRICKS_HOST=URL, DATABRICKS_TOKEN=R["databricks_token"], FLOW_CLIENT_ID=R["client_id"], FLOW_CLIENT_SECRET=R["client_secret"], FLOW_OIDC_TOKEN=R.get("oidc_subject_token", "good.id.token"),
                 FLOW_PROXY=URL, FLOW_CA=R["ca_file"], FLOW_SPARK=os.environ.get("FLOW_SPARK", "0"), FLOW_TENANT_ID=R["tenant_id"],
                 FLOW_DBX_RESOURCE_ID="/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Databricks/workspaces/%s" % (R["subscription_id"], R["databricks_resource_group"], R["databricks_workspace_name"]))
        for k in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"): e.pop(k)
        yield run(f.stem, [py, "-W", "ignore", f], e, w, seconds, lambda rc, out: rc == 0)

def legacy_cli():
    py = venv("legacy-cli", "databricks/requirements-legacy-cli.txt"); w = pathlib.Path(tempfile.mkdtemp()); e = base_env(w)
    e.update(PATH="%s:%s" % (py.parent, e["PATH"]), DATABRICKS_HOST="http://adb-1234567890123456.7.azuredatabricks.net", DATABRICKS_TOKEN=R["databricks_token"], http_proxy=URL, HTTP_PROXY=URL, NO_PROXY="", no_proxy="")
    yield run("legacy_cli", ["bash", HERE / "databricks" / "legacy_cli.sh"], e, w, 400, lambda rc, out: rc == 0 and "\nFAIL" not in "\n" + out)

def mlflow():
    py = venv("mlflow", "mlflow/requirements.txt")
    for label, uri, extra in (("plain", URL + "/mlflow", {}), ("databricks root", URL, {"MLFLOW_TRACKING_TOKEN": R["databricks_token"]})):
        for f in parts("mlflow", "flow_*.py"):
            w = pathlib.Path(tempfile.mkdtemp()); e = base_env(w); e.update(MLFLOW_TRACKING_URI=uri, **extra)
            yield run("%s (%s)" % (f.stem, label), [py, "-W", "ignore", f], e, w, 240, lambda rc, out: rc == 0 and "PASS" in out)

def tracking():
    """Our own client: the same tests, and the same results, on the real server of MLflow and on the mock."""
    py = venv("mlflow", "mlflow/requirements.txt"); dead = socket.socket(); dead.bind(("127.0.0.1", 0)); nowhere = "http://127.0.0.1:%d" % dead.getsockname()[1]; dead.close()
    for server in ("mlflow server", "mock"):
        label = "client (%s)" % server
        if args.only not in label or (args.part and label not in args.part): continue
        w = pathlib.Path(tempfile.mkdtemp()); e = base_env(w); real = None
        if args.control: uri = nowhere
        elif server == "mock": uri = URL + "/mlflow"
        else: real, uri = mlflow_server(py, w, e)
        try: yield run(label, *own_test("tracking_on_servers", w, AZML_MLFLOW_URI=uri))
        finally:
            if real: os.killpg(real.pid, signal.SIGTERM); real.wait(timeout=30)

def mlflow_server(py, w, e):
    """MLflow's own server on a free port, as soon as it answers."""
    s = socket.socket(); s.bind(("127.0.0.1", 0)); uri = "http://127.0.0.1:%d" % s.getsockname()[1]; s.close()
    p = subprocess.Popen([py, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", uri.rpartition(":")[2], "--workers", "1", "--backend-store-uri", "sqlite:///%s/mlflow.db" % w,
                          "--artifacts-destination", str(w / "files")], env=e, cwd=w, stdout=open(w / "server.log", "wb"), stderr=subprocess.STDOUT, start_new_session=True)
    end = time.time() + 120
    while time.time() < end and p.poll() is None:
        try: urllib.request.urlopen(uri + "/health", timeout=2).read(); return p, uri
        except OSError: time.sleep(0.2)
    os.killpg(p.pid, signal.SIGKILL); raise SystemExit("mlflow server did not come up:\n" + (w / "server.log").read_text()[-2000:])

ALL = {"azureml-v1": azureml_v1, "azure-ai-ml": azure_ai_ml, "databricks": databricks, "legacy-cli": legacy_cli, "mlflow": mlflow, "spark": spark, "tracking": tracking}
bad = 0; tail = []
for s in args.suites or ALL:
    r = [x for x in list(ALL[s]()) if x]; r = [x.result() if args.control else x for x in r]; f = sum(not g for g, _ in r); bad += f
    tail.append("%s: %d passed, %d failed" % (s, len(r) - f, f) + " (%d checks)" % sum(n for _, n in r))
print("\n".join(tail)); sys.exit(min(bad, 120))
