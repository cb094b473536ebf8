"""Bodies of answers about data sets."""

from pydantic import Field

from service.api.schemas.base import View


class DatasetView(View):
    """A data set, and whether this server can show its images."""

    name: str = Field(examples=["mnist_5k"])
    shape: list[int] = Field(description="Channels, height and width of an image, in pixels.", examples=[[1, 28, 28]])
    classes: int = Field(description="The number of classes.", examples=[10])
    training_images: int = Field(
        description="The number of training images, with those for validation.", examples=[4000]
    )
    test_images: int = Field(description="The number of test images.", examples=[1000])
    on_server: bool = Field(description="Whether this server has the files, and shows the images.", examples=[True])
    missing: str | None = Field(description="The reason why it cannot show them; null where it can.", examples=[None])
