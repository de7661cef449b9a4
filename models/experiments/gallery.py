"""How do the pictures of the three scripts look, with either optimizer?

The pictures are the scripts' own, copied; only the losses of both optimizers are drawn
here, in one picture for each script. Seed 0.
"""

# %% 准备 · imports and options
import lab

import common

import shutil

from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练，复制图片 · train, and copy the pictures
# 每项：脚本、轮数、图片 · Each has a script, epochs and pictures.
settings = [
    ("simple", 50, ["reconstructions", "each_number"]),
    ("deep", 50, ["reconstructions", "interpolation"]),
    ("conv", 1, ["reconstructions"]),
    ("conv", 50, ["reconstructions"]),
]
optimizers = ["adadelta", "adam"]
if args.quick:
    settings = [("simple", 50, ["reconstructions", "each_number"])]
    optimizers = ["adam"]
folders = {}
for script, epochs, pictures in settings:
    for optimizer in optimizers:
        options = f"--optimizer {optimizer} --epochs {epochs} --seed 0"
        folder = lab.run(args, script, options)
        folders[script, optimizer, epochs] = folder
        for picture in pictures:
            name = f"{script}_{picture}_{optimizer}_{epochs}.png"
            shutil.copy(folder / f"{picture}.png", args.pictures / name)
if not args.quick:
    conv_folder = folders["conv", "adam", 50]
    shutil.copy(conv_folder / "layers.png", args.pictures / "conv_layers_adam_50.png")
    shutil.copy(conv_folder / "model.png", args.pictures / "conv_model_adam_50.png")
map_folder = lab.run(args, "deep", "--optimizer adam --encoding-dim 2")
shutil.copy(map_folder / "map.png", args.pictures / "deep_map_adam_50.png")

# %% 画图：损失曲线 · draw the losses by epoch, of both optimizers
for script, size in {"simple": 16, "deep": 32, "conv": 128}.items():
    curves = {}
    for (trained_script, optimizer, epochs), folder in folders.items():
        if trained_script == script and epochs == 50:
            curves[f"{optimizer}, training"] = lab.losses(folder, "loss")
            curves[f"{optimizer}, validation"] = lab.losses(folder, "val_loss")
    if not curves:  # in a quick run
        continue
    pca = PCA(size, svd_solver="covariance_eigh").fit(x_train)
    pca_imgs = pca.inverse_transform(pca.transform(x_test))
    images = {f"PCA {size}": pca_imgs, "lower bound": x_test}
    path = args.pictures / f"{script}_history.png"
    common.plot_history(curves, "binary_crossentropy", x_test, images, path)

# %% 结果 · the table, and what came out
head = ["network", "optimizer", "epochs", "training loss", "validation loss"]
rows = []
for (script, optimizer, epochs), folder in folders.items():
    loss = lab.losses(folder, "loss")[-1]
    val_loss = lab.losses(folder, "val_loss")[-1]
    rows.append([script, optimizer, str(epochs), f"{loss:.4f}", f"{val_loss:.4f}"])
sentences = """These are the losses of the last epoch. The training loss is the mean over that \
epoch, in which the network still learns; the validation loss is measured after it. Those of \
simple hold the penalty."""
lab.report(args, "gallery", head, rows, sentences)
