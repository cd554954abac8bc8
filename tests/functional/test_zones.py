"""A blob crosses the border between two zones about once, however many nodes stand behind it."""
import re
from concurrent.futures import ThreadPoolExecutor

from framework.cluster import Cluster, Role
from framework.image import make_image
from framework.skopeo import Skopeo

SIZE = 48 << 20


def metric(role: Role, name: str) -> float:
    text = role.ops("/metrics")[1]
    return sum(float(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.M))


def pull_everywhere(workdir, **options) -> tuple[float, set]:
    """Eight agents pull at once: the copies that crossed a border, and the zones that the agents
    read in their peers' tickets."""
    image = make_image(workdir / "img", [SIZE], "zones")
    with Cluster(workdir / "c", agents_wanted=8, egress="8MB/s", **options) as c:
        client = Skopeo(workdir / "skopeo", c.ca, c.user, c.password, c.host)
        client.push(image.layout, c.ref("lab/zones:1"))

        def pull(agent):
            client.pull(c.ref("lab/zones:1"), workdir / agent.dir.name, agent.endpoints["mirror"], 120)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(pull, c.agents))
        crossed = sum(metric(a, "convoy_swarm_border_bytes_total") for a in c.agents)
        seen = {line.get("extra", {}).get("zone", "") for a in c.agents for line in a.audit_lines()
                if line["action"] == "peer.grant"}
        return crossed / SIZE, seen


def test_two_zones_of_four_nodes_move_about_one_copy(workdir):
    crossed, seen = pull_everywhere(workdir, zones=["west", "east"])
    print(f"{crossed:.3f} copies crossed")
    assert seen == {"west", "east"}
    # One copy has to; a quarter more is what nodes fetch twice while they learn how many they are.
    assert 0.95 <= crossed <= 1.25


def test_without_zones_there_is_no_border(workdir):
    crossed, seen = pull_everywhere(workdir)
    assert crossed == 0 and seen == {""}
