#!/usr/bin/env python3
"""Starts the services of deploy/compose.yaml without Docker: the same programs, commands, environment,
files and network names, each in a root folder and a network of its own, in the order of the health checks.
Then a person of a simulated WhatsApp writes, nodes and Redis go away, and every answer is counted.

    by_hand.py HARK        as root, on Linux; python3-yaml, iproute2, postgresql, redis-server, caddy

What an image's own start does is done here: PostgreSQL's makes the database of its variables.
Nothing is left behind: all of it lies in namespaces and a folder that go with this process.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SITE = "voice.test"
NUMBER = "106540352242922"
NETWORK = "10.77.0"
SECRETS = {
    "access_token": "token", "app_secret": "app-secret", "verify_token": "verify",
    "store_password": "a-password", "redis_password": "another", "secret_key": "00" * 32,
}
# What an operator writes: engines that need neither a model nor a server, and the simulated WhatsApp.
CONFIG = f"""
[stt]
engine = "scripted"
[llm]
engine = "scripted"
[tts]
engine = "scripted"
[disclosure]
enabled = false
[[numbers]]
phone_number_id = "{NUMBER}"
provider = "simulator"
api_url = "http://{NETWORK}.1:8090"
"""
# Of the Dockerfile.
IMAGE = {"MALLOC_ARENA_MAX": "2", "PORT": "8080", "HARK__STORE__URL": "/data/hark.db"}
PATIENCE = 60


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def interpolate(text, environment):
    """Puts variables in, as compose does."""
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: environment.get(m[1]) or m[2], text)
    return text.replace("$$", "$")


def parsed():
    environment = {"HARK_SITE": f"http://{SITE}"}
    return yaml.safe_load(interpolate((DEPLOY / "compose.yaml").read_text(), environment))


class Service:
    """A service: its root folder, its network, its process."""

    def __init__(self, name, described, world, place):
        self.name, self.described, self.world = name, described, world
        self.address = f"{NETWORK}.{place}"
        self.process = None
        folder = world / name
        self.root = folder / "root"
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(parents=True)
        options = f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work"
        run("mount", "-t", "overlay", "overlay", "-o", options, self.root)
        for part in ("proc", "dev", "sys"):
            run("mount", "--rbind", f"/{part}", self.root / part)
        self.connect(place)
        self.put_files()

    def connect(self, place):
        inside, outside = f"in{place}", f"out{place}"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", self.name)
        run("ip", "link", "set", outside, "master", "hark", "up")
        for command in (f"addr add {self.address}/24 dev {inside}", f"link set {inside} up", "link set lo up"):
            run("ip", "-n", self.name, *command.split())

    def put_files(self):
        """Puts secrets, files and volumes where the service finds them."""
        for secret in self.described.get("secrets", []):
            source = secret if isinstance(secret, str) else secret["source"]
            target = f"/run/secrets/{secret}" if isinstance(secret, str) else secret["target"]
            self.write(target, SECRETS[source] + "\n")
        for volume in self.described.get("volumes", []):
            source, target = volume.split(":")[:2]
            if not source.startswith("."):
                place = self.world / "volumes" / source
                place.mkdir(parents=True, exist_ok=True)
                inside = self.root / target.lstrip("/")
                inside.mkdir(parents=True, exist_ok=True)
                run("mount", "--bind", place, inside)
            elif source == "./hark.toml":
                self.write(target, CONFIG)
            elif source == "./faq.csv":
                self.write(target, "question,answer\n")
            else:
                self.write(target, (DEPLOY / source).read_text())

    def write(self, target, text):
        file = self.root / target.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def environment(self):
        image = IMAGE if self.described["image"] == "hark" else {}
        mine = self.described.get("environment", {})
        return {"PATH": os.environ["PATH"], "HOME": "/data", "XDG_DATA_HOME": "/data", **image, **mine}

    def inside(self, command, **options):
        """Runs a command where the service runs."""
        outer = ["ip", "netns", "exec", self.name, "unshare", "-m", "--", "chroot", str(self.root)]
        folder = "/data" if self.described["image"] == "hark" else "/"
        inner = ["sh", "-c", f'mkdir -p {folder}; cd {folder} && exec "$@"', "sh", *command]
        return subprocess.Popen(outer + inner, env=self.environment(), start_new_session=True, **options)

    def start(self):
        log = open(self.world / f"{self.name}.log", "ab")
        command = self.described["command"]
        if self.name == "postgres":
            command = postgres_of_image(self, command)
        self.process = self.inside(command, stdout=log, stderr=log)
        said = " ".join(self.described["command"])
        print(f"started {self.name} at {self.address}: {said[:90]}", flush=True)

    def healthy(self):
        kind, *test = self.described["healthcheck"]["test"]
        assert kind == "CMD", kind
        return self.inside(test, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait() == 0

    def wait_until_healthy(self):
        began = time.monotonic()
        while not self.healthy():
            assert self.process.poll() is None, f"{self.name} has ended: {self.log()[-2000:]}"
            assert time.monotonic() - began < PATIENCE, f"{self.name}: {self.log()[-2000:]}"
            time.sleep(0.2)
        print(f"{self.name} is healthy after {time.monotonic() - began:.1f} s", flush=True)

    def log(self):
        return (self.world / f"{self.name}.log").read_text(errors="replace")

    def end(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(PATIENCE)


def postgres_of_image(service, command):
    """Does what the image's start does: makes the cluster, the role and the database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    data = "/var/lib/postgresql/data"
    name = service.described["environment"]
    script = f"""set -e
        install -d -o postgres {data} /run/postgresql; chown postgres {data}
        as() {{ runuser -u postgres -- "$@"; }}
        cat "$POSTGRES_PASSWORD_FILE" > /tmp/password; chmod 644 /tmp/password
        as {programs}/initdb -D {data} -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 >/dev/null
        echo "host all all all scram-sha-256" >> {data}/pg_hba.conf
        as sh -c 'echo "CREATE DATABASE {name['POSTGRES_DB']}" | {programs}/postgres --single -D {data} postgres >/dev/null'
        exec runuser -u postgres -- {programs}/"$@" -D {data} -c listen_addresses='*'"""
    return ["sh", "-c", script, "sh", *command]


def ask(url, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read() or "null")


class People:
    """Whoever writes, at a simulated WhatsApp."""

    def __init__(self, hark, world):
        self.url, self.written = f"http://{NETWORK}.1:8090", 0
        command = [hark, "simulate", "--listen", f"{NETWORK}.1:8090", "--webhook", f"http://{SITE}/webhook",
                   "--app-secret", SECRETS["app_secret"], "--phone-number-id", NUMBER]
        log = open(world / "simulator.log", "wb")
        self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def write(self, count):
        for _ in range(count):
            # One message each: several of one breath would have one answer.
            person = f"155500{self.written:05}"
            ask(f"{self.url}/sim/messages", {"from": person, "text": f"message {self.written}"})
            self.written += 1

    def answered(self):
        everything = ask(f"{self.url}/sim/conversations")
        text = json.dumps(everything)
        return len(re.findall(r'"direction": ?"out(?:bound)?"', text)) or text.count('"reply_to": "')

    def wait_for_answers(self, when):
        began = time.monotonic()
        while (answered := self.answered()) < self.written:
            assert time.monotonic() - began < PATIENCE, f"{when}: {answered} of {self.written}"
            time.sleep(0.1)
        assert answered == self.written, f"{when}: {answered} answers to {self.written} messages"
        print(f"{when}: {self.written} messages, {answered} answers", flush=True)


def show(service, *command):
    print(f"$ {' '.join(command)}", flush=True)
    shown = service.inside(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(shown.communicate(timeout=PATIENCE)[0].decode().rstrip(), flush=True)


def play(services, people):
    one, two = services["hark-1"], services["hark-2"]
    while (status := ask_status(f"http://{SITE}/readyz")) is None:
        time.sleep(0.2)
    print(f"through the proxy, /readyz is {status}: only webhooks pass", flush=True)
    assert status == 404
    people.write(20)
    people.wait_for_answers("both nodes")
    show(one, "hark", "nodes")
    one.end(signal.SIGKILL)
    people.write(20)
    people.wait_for_answers("hark-1 killed")
    one.start()
    one.wait_until_healthy()
    services["redis"].end(signal.SIGKILL)
    people.write(10)
    people.wait_for_answers("Redis killed")
    services["redis"].start()
    two.end()
    people.write(10)
    people.wait_for_answers("hark-2 asked to stop")
    show(one, "hark", "nodes")
    show(one, "hark", "store", "backup", "/data/saved.db")


def ask_status(url):
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return None  # It does not listen yet.


def main():
    hark = str(Path(sys.argv[1]).resolve())
    if len(sys.argv) == 2:
        os.execvp("unshare", ["unshare", "-mn", "--", sys.executable, __file__, hark, "apart"])
    world = Path(tempfile.mkdtemp(prefix="compose"))
    services, people = {}, None
    try:
        run("mount", "-t", "tmpfs", "tmpfs", world)
        run("mount", "-t", "tmpfs", "tmpfs", "/run/netns") if Path("/run/netns").is_dir() else None
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "hark", "type", "bridge")
        run("ip", "addr", "add", f"{NETWORK}.1/24", "dev", "hark")
        run("ip", "link", "set", "hark", "up")
        compose = parsed()
        print(f"compose.yaml has {', '.join(compose['services'])}", flush=True)
        hosts = "127.0.0.1 localhost\n"
        for place, (name, described) in enumerate(compose["services"].items(), 10):
            services[name] = Service(name, described, world, place)
            hosts += f"{NETWORK}.{place} {name}\n"
        hosts += f"{services['caddy'].address} {SITE}\n"
        for service in services.values():
            service.write("/etc/hosts", hosts)
            if service.described["image"] == "hark":
                shutil.copy(hark, service.root / "usr/local/bin/hark")
        (world / "hosts").write_text(hosts)
        run("mount", "--bind", world / "hosts", "/etc/hosts")
        people = People(hark, world)
        for name in ("postgres", "redis", "hark-1", "hark-2", "caddy"):
            services[name].start()
            services[name].wait_until_healthy()
        play(services, people)
        print("the services work as compose.yaml describes them", flush=True)
    except BaseException:
        for name in services:
            if (world / f"{name}.log").exists():
                print(f"--- {name}\n{services[name].log()[-3000:]}", file=sys.stderr)
        raise
    finally:
        for service in services.values():
            service.end()
        if people:
            people.process.kill()
        run("umount", "-R", "-l", world)
        world.rmdir()


if __name__ == "__main__":
    main()
