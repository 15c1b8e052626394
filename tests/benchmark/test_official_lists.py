"""Downloads of the official task lists."""

import pytest

from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.official_lists import check_header, download_tasks


def test_the_five_lists_of_a_split_are_downloaded_once(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/tasks")
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path))
    for name in ("verif_pos", "verif_neg_intra", "verif_neg_inter"):
        server.files[f"{name}_split-view.csv"] = b"s1,t1,idx1,s2,t2,idx2\nv_a,0,1,v_a,1,1\n"
    for name in ("retr_queries", "retr_distractors"):
        server.files[f"{name}_split-view.csv"] = b"s,idx\nv_a,0\n"
    for _ in range(2):
        folder = download_tasks("view", progress=False)
    assert folder == tmp_path / "official_tasks" and len(list(folder.glob("*_split-view.csv"))) == 5
    paths = {request.path for request in server.requests}
    assert paths == {f"/tasks/{file.name}" for file in folder.glob("*.csv")}
    assert len(server.requests) == 5


def test_a_list_with_other_columns_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("s,idx\r\nv_a,0\r\n")
    check_header("s,idx")(tmp_path / "x.csv")
    with pytest.raises(UserError, match="begins with 's,idx', expected 's1,t1,idx1'"):
        check_header("s1,t1,idx1")(tmp_path / "x.csv")


def test_an_unknown_split_is_refused(tmp_path):
    with pytest.raises(UserError, match="Unknown split 'd': expected 'a', 'b', .* 'full'."):
        download_tasks("d", tmp_path)
