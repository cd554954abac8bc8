"""Memory does not grow with the blob."""
from framework.cluster import Cluster
from framework.image import make_image
from framework.skopeo import Skopeo


def test_one_gibibyte_agent_to_agent_stays_below_100_mib(workdir):
    image = make_image(workdir / "img", [1 << 30], "memory")
    with Cluster(workdir / "c", agents_wanted=2) as c:
        client = Skopeo(workdir / "skopeo", c.ca, c.user, c.password, c.host)
        client.push(image.layout, c.ref("lab/big:1"))
        for agent in c.agents:
            client.pull(c.ref("lab/big:1"), workdir / agent.dir.name, agent.endpoints["mirror"], 180)
        second = c.agents[1].status()
        assert sum(p["bytes"]["peers"] for p in second) > 0
        for role in c.agents:
            assert role.rss_mib() < 100, f"{role.dir.name}: {role.rss_mib():.0f} MiB"
