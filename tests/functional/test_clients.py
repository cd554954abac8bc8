"""Real engines: skopeo and docker push; docker, containerd, podman and skopeo pull and run."""
import pytest

from framework import engines, lab
from framework.cluster import Cluster
from framework.engines import Containerd, Dockerd, Podman
from framework.image import make_image
from framework.lab import Lab
from framework.skopeo import Skopeo, verified_blobs

no_lab = lab.available()
pytestmark = pytest.mark.skipif(bool(no_lab), reason=no_lab)


@pytest.fixture(scope="module")
def site(tmp_path_factory, request):
    """Three nodes with an agent each; the registry is called registry.lab and has no such address."""
    import shutil
    import tempfile
    from pathlib import Path
    directory = Path(tempfile.mkdtemp(prefix="cv-", dir="/var/tmp"))
    try:
        with Lab(3) as net, Cluster(directory / "c", agents_wanted=3, lab=net) as c:
            layout = make_image(directory / "img", [16 << 20, 4 << 20], "clients")
            # The hub reaches the registry by its address; the name exists for the nodes' agents alone.
            client = Skopeo(directory / "skopeo", c.ca, c.user, c.password,
                            f"{net.HUB_IP}:{c.registry_port}", ns=net.hub)
            client.push(layout.layout, f"{net.HUB_IP}:{c.registry_port}/lab/app:1")
            yield net, c, layout, directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def needs(*programs):
    why = engines.missing(*programs)
    return pytest.mark.skipif(bool(why), reason=why)


def p2p_bytes(agent) -> int:
    return sum(p["bytes"]["peers"] + p["bytes"]["origin"] for p in agent.status())


@needs("containerd", "runc", "ctr", "curl")
def test_containerd_pulls_by_cri_through_the_mirror_and_runs(site):
    net, c, image, directory = site
    agent = c.agents[0]
    hosts = (f'server = "https://{c.host}"\n[host."http://127.0.0.1:5001"]\n'
             'capabilities = ["pull", "resolve"]\n')
    (directory / "n1").mkdir()
    containerd = Containerd(directory / "n1", net.node(1), {c.host: hosts})
    try:
        containerd.cri_pull(c.ref("lab/app:1"))
        assert "selftest ok clients" in containerd.run_image(c.ref("lab/app:1"))
    finally:
        containerd.stop()
    assert p2p_bytes(agent) >= image.largest[1]


@needs("dockerd", "docker", "containerd", "runc")
def test_docker_pulls_runs_and_pushes_through_the_intercepting_proxy(site):
    net, c, image, directory = site
    agent = c.agents[1]
    docker = Dockerd(directory / "n2", net.node(2), "http://127.0.0.1:5002",
                     c.dir / "agent-2" / "data" / "proxy-ca.pem")
    try:
        # The user's own credential decides: without log-in the pull is refused.
        refused = docker.docker("pull", c.ref("lab/app:1"), check=False)
        assert refused.returncode != 0
        (directory / "n2" / "client").mkdir(exist_ok=True)
        docker.docker("login", "-u", c.user, "-p", c.password, c.host)
        docker.docker("pull", c.ref("lab/app:1"))
        assert "selftest ok clients" in docker.docker("run", "--rm", c.ref("lab/app:1")).stdout
        docker.docker("tag", c.ref("lab/app:1"), c.ref("lab/pushed:1"))
        docker.docker("push", c.ref("lab/pushed:1"))
    finally:
        docker.stop()
    assert p2p_bytes(agent) >= image.largest[1]
    client = Skopeo(directory / "sk2", c.ca, c.user, c.password, f"{net.HUB_IP}:{c.registry_port}",
                    ns=net.hub)
    client.pull(f"{net.HUB_IP}:{c.registry_port}/lab/pushed:1", directory / "pushed")


@needs("podman", "runc")
def test_podman_pulls_through_the_mirror_and_runs(site):
    net, c, image, directory = site
    agent = c.agents[2]
    podman = Podman(directory / "n3", net.node(3),
                    f'[[registry]]\nlocation = "{c.host}"\n'
                    '[[registry.mirror]]\nlocation = "127.0.0.1:5001"\ninsecure = true\n')
    podman.pull(c.ref("lab/app:1"))
    assert "selftest ok clients" in podman.run_image(c.ref("lab/app:1"))
    assert p2p_bytes(agent) >= image.largest[1]


@needs("skopeo")
def test_skopeo_pulls_from_the_cache_of_a_node(site):
    net, c, image, directory = site
    client = Skopeo(directory / "sk3", None, ns=net.node(3))
    target = directory / "cached"
    client.pull(c.ref("lab/app:1"), target, mirror="127.0.0.1:5001")
    digests = [d for d, _ in image.blobs]
    assert verified_blobs(target, digests) == len(digests)
